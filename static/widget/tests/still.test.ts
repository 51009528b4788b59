// Nothing on a page moves when the script is loaded, nor when the panel is.
import { readFileSync } from "node:fs";
import { Window } from "happy-dom";
import { describe, expect, it } from "vitest";

const heightIn = (file: string, rule: RegExp): string | undefined => rule.exec(readFileSync(new URL(file, import.meta.url), "utf8"))?.[1];

describe("the height of a button", () => {
  const button = /\[part=button\] ?{[^}]*min-(?:block-size|height): ?([\d.]+em)/;
  const first = heightIn("../src/button-styles.ts", button);

  it("is the same before and after the panel has come", () => {
    expect(first).toBeDefined();
    expect(heightIn("../src/panel-styles.ts", button)).toBe(first);
  });

  it("is kept free by the line of CSS that the documentation gives", () => {
    expect(heightIn("../../../docs/embedding.md", /:not\(:defined\)::before {[^}]*min-height: ([\d.]+em)/)).toBe(first);
  });
});

describe("what is hidden while it is empty", () => {
  it("is neither an image nor the status, of which screen readers would then announce no change", () => {
    const window = new Window();
    window.document.body.innerHTML = '<img part="logo"><ul part="accounts"></ul><div part="status"></div><div part="actions"></div><div part="code"></div>';
    const selector = /([^{}/]+) { display: none !important; }/.exec(readFileSync(new URL("../src/panel-styles.ts", import.meta.url), "utf8"))?.[1]?.trim() ?? "";
    const hidden = [...window.document.querySelectorAll(selector)].map((each) => each.getAttribute("part"));
    expect(hidden).toEqual(["accounts", "actions", "code"]);
  });
});
