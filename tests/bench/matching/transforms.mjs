// Transforms JavaScript and TypeScript as build tools do. Standard input: one JSON line per task,
// {"path", "name", "lines"}; standard output: one JSON line per result, {"name", "transform",
// "text"} ("text" is null where a tool fails). Run with the folder of node_modules as argument.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";

const require = createRequire(path.resolve(process.argv[2]) + "/");
const ts = require("typescript");
const esbuild = require("esbuild");
const terser = require("terser");
const swc = require("@swc/core");
const prettier = require("prettier");
const babel = require("@babel/core");

const compile = (code, file, target, module) =>
  ts.transpileModule(code, {
    fileName: file,
    compilerOptions: { target, module, removeComments: true, allowJs: true },
  }).outputText;
const modern = (code, file) => compile(code, file, ts.ScriptTarget.ES2020, ts.ModuleKind.ES2020);

// Every binding of every function gets another name; properties and globals keep theirs.
const renaming = () => ({
  visitor: {
    Scopable(found) {
      if (found.isProgram()) return;
      for (const name of Object.keys(found.scope.bindings)) {
        found.scope.rename(name, found.scope.generateUid(`renamed_${name.length}`).replace(/^_/, ""));
      }
    },
  },
});

const minified = {
  terser: async (code) => (await terser.minify(code, { module: true, compress: { passes: 2 } })).code,
  swc: async (code) =>
    (await swc.minify(code, { module: true, compress: true, mangle: true })).code,
  esbuild: async (code) =>
    (await esbuild.transform(code, { minify: true, format: "cjs", target: "es2020" })).code,
};

const transforms = {
  prettier: (code, file) =>
    prettier.format(code, { filepath: file, printWidth: 60, semi: false, singleQuote: true, tabWidth: 8 }),
  "comments stripped": (code, file) =>
    compile(code, file, ts.ScriptTarget.ESNext, ts.ModuleKind.ESNext),
  "tsc ES2020": modern,
  "swc ES5+CJS": async (code, file) =>
    (await swc.transform(code, {
      filename: file, swcrc: false, configFile: false, module: { type: "commonjs" },
      jsc: { target: "es5", parser: { syntax: "typescript", tsx: !file.endsWith(".ts") } },
    })).code,
  "tsc ES5+CJS": (code, file) =>
    compile(code, file, ts.ScriptTarget.ES5, ts.ModuleKind.CommonJS),
  "locals renamed": async (code, file) =>
    (await babel.transformAsync(modern(code, file), {
      configFile: false, babelrc: false, plugins: [renaming], sourceType: "module",
    })).code,
  terser: (code, file) => minified.terser(modern(code, file)),
  swc: (code, file) => minified.swc(modern(code, file)),
  esbuild: (code, file) => minified.esbuild(modern(code, file)),
};

const bare = (code, file) =>
  compile(code, file, ts.ScriptTarget.ESNext, ts.ModuleKind.ESNext).trim();

// Whole statements of the file's top level, about so many lines of them, from the middle on.
function slice(code, file, wanted) {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true);
  const isCode = (one) =>
    !ts.isImportDeclaration(one) && !ts.isInterfaceDeclaration(one) && !ts.isTypeAliasDeclaration(one);
  const imports = source.statements.filter(ts.isImportDeclaration).map((one) => one.getText()).join("\n");
  const parts = source.statements.filter(isCode);
  for (let first = 0; first < parts.length; first++) {
    for (let last = first; last < parts.length; last++) {
      const text = code.slice(parts[first].getStart(), parts[last].end);
      const lines = bare(text, file).split("\n").length; // without comments and types
      if (lines > 2 * wanted) break;
      if (lines >= wanted) return { text: `${imports}\n${text}`, lines };
    }
  }
  return null;
}

const input = readline.createInterface({ input: process.stdin });
for await (const entry of input) {
  const { path: file, name, slices, host } = JSON.parse(entry);
  const code = fs.readFileSync(file, "utf8");
  const say = (transform, text, lines) =>
    console.log(JSON.stringify({ name, transform, text: text ?? null, lines }));
  const attempt = async (work) => {
    try {
      return await work();
    } catch {
      return null;
    }
  };
  say("verbatim", code);
  for (const [transform, work] of Object.entries(transforms)) {
    say(transform, await attempt(() => work(code, file)));
  }
  for (const wanted of slices) {
    const part = await attempt(() => slice(code, file, wanted));
    if (!part) continue;
    const mixed = host.map((one) => fs.readFileSync(one, "utf8")).join(`\n${part.text}\n`);
    say(`copy of ${wanted}+ lines`, mixed, part.lines);
    const keep = { mangle: { toplevel: true }, compress: { passes: 2, unused: false } };
    const small = await attempt(async () => (await terser.minify(modern(mixed, file), keep)).code);
    say(`copy of ${wanted}+ lines, minified`, small, part.lines);
  }
}
