// Prints, for each file named on standard input, the literals that acorn finds in it, as JSON.
const fs = require("fs");
const acorn = require(process.argv[2]);
for (const path of fs.readFileSync(0, "utf8").split("\0").filter(Boolean)) {
  const text = fs.readFileSync(path, "latin1");
  const options = { ecmaVersion: 9, allowHashBang: true, allowReturnOutsideFunction: true };
  let found = null;
  for (const sourceType of ["module", "script"]) {
    const tokens = [];
    try {
      acorn.parse(text, { ...options, sourceType, onToken: tokens });
    } catch {
      continue;
    }
    found = tokens
      .filter((token) => ["regexp", "string", "template"].includes(token.type.label))
      .map((token) => [token.type.label, token.start, token.end]);
    break;
  }
  console.log(JSON.stringify([path, found]));
}
