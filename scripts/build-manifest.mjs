// Writes dist/manifest.json: version, integrity hash (SRI) and size of each built script.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const root = new URL("../", import.meta.url);
const dist = new URL("static/widget/dist/", root);
const release = JSON.parse(readFileSync(new URL("package.json", root), "utf8")).version;
const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

const files = {};
const whole = createHash("sha256");
for (const name of ["hitchpost.js", "panel.js", "connections.js", "diagnose.js", "resume.js", "headless.js", "package.js"]) {
  const text = readFileSync(new URL(name, dist));
  whole.update(text);
  files[name] = {
    integrity: "sha384-" + createHash("sha384").update(text).digest("base64"),
    bytes: text.length,
    brotli: brotliCompressSync(text, options).length,
  };
}
// The version stands in an address that is kept for ever: other contents have another one.
const version = `${release}-${whole.digest("hex").slice(0, 10)}`;
writeFileSync(new URL("manifest.json", dist), JSON.stringify({ version, files }, null, 2) + "\n");
for (const [name, { bytes, brotli }] of Object.entries(files)) console.log(`${name}: ${bytes} bytes, ${brotli} in brotli`);
