// @vitest-environment node
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { describe, expect, it } from "vitest";

const dist = new URL("../dist/", import.meta.url);

describe("on a server", () => {
  it("can be imported, though there is no page", async () => {
    expect(typeof document).toBe("undefined");
    const { connect, configure, ConnectError } = await import("../src/headless.js");
    expect([typeof connect, typeof configure, new ConnectError("failed").code]).toEqual(["function", "function", "failed"]);
  });
});

describe("the element from npm", () => {
  it("can be imported on a server, and does nothing there", async () => {
    const { connect, configure } = (await import(new URL("package.js", dist).href)) as typeof import("../src/package.js");
    configure({ base: "https://connect.example.com", product: "my-app" });
    expect([typeof connect, "Hitchpost" in globalThis]).toEqual(["function", false]);
  });
});

const sizeOf = (name: string): number =>
  brotliCompressSync(readFileSync(new URL(name, dist)), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

describe("what is built", () => {
  it.each([
    ["hitchpost.js", 5120],
    ["headless.js", 2560],
    ["panel.js", 6650],
    ["connections.js", 1500],
    ["diagnose.js", 1700],
    ["resume.js", 900],
  ])("%s is at most %i bytes, brotli", (name, most) => {
    expect(sizeOf(name)).toBeLessThanOrEqual(most);
  });

  it("files that are fetched later hold nothing of the flow: they share the script's own", () => {
    for (const name of ["panel.js", "connections.js", "resume.js"]) expect(readFileSync(new URL(name, dist), "utf8")).not.toMatch(/X-Hitchpost|Idempotency-Key/);
  });

  it.each(["hitchpost.js", "panel.js", "connections.js", "diagnose.js", "resume.js", "headless.js", "package.js"])("%s holds nothing that a strict page forbids", (name) => {
    const text = readFileSync(new URL(name, dist), "utf8");
    expect(text).not.toMatch(/\beval\(|\bnew Function\b|innerHTML|outerHTML|insertAdjacentHTML|document\.write|setAttribute\("style/);
  });
});
