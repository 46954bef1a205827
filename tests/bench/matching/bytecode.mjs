// Compiles Python to the bytecode of the newest CPython, which Pyodide brings. Standard input: one
// JSON line per file, {"name", "text"}; standard output: one JSON line each, {"name", "pyc"}, base64.
// Run with the folder of node_modules as argument.
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(path.resolve(process.argv[2]) + "/");
const { loadPyodide } = await import(pathToFileURL(require.resolve("pyodide/pyodide.mjs")));
const python = await loadPyodide();
python.runPython(`
import base64, importlib.util, importlib._bootstrap_external as files
def compiled(text):
    try:
        made = compile(text, "a.py", "exec", dont_inherit=True)
    except Exception:
        return None
    return base64.b64encode(files._code_to_timestamp_pyc(made)).decode()
`);
const compiled = python.globals.get("compiled");
for await (const entry of readline.createInterface({ input: process.stdin })) {
  const { name, text } = JSON.parse(entry);
  console.log(JSON.stringify({ name, pyc: compiled(text) ?? null }));
}
