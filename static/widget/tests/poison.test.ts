// @vitest-environment happy-dom
// A32: an answer of the BFF, or of somebody in between, changes no object other than its own.
import { afterEach, describe, expect, it } from "vitest";
import { add, main, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";
import { configure, settings } from "../src/session.js";
import { words } from "../src/words.js";

const page = usePage();
useElements();

const clean = (): boolean => {
  const probe = {} as Record<string, unknown>;
  return Object.keys(probe).length === 0 && probe.polluted === undefined && probe.button === undefined && probe.base === undefined;
};

/** An answer that has `__proto__` as an own key, which an object literal cannot have. */
const poisoned = (json: string): Response => new Response(json, { headers: { "Content-Type": "application/json" } });

afterEach(() => {
  expect(clean()).toBe(true);
  for (const each of [words, ...Object.values(words)]) expect(Object.getPrototypeOf(each)).toBeNull();
  expect(Object.getPrototypeOf(settings)).toBeNull();
});

describe("A32 an answer that names __proto__", () => {
  it.each<[string, string]>([
    '{"words":{"__proto__":{"polluted":"yes"},"button":"Connect"},"style":"","theme":{}}',
    '{"words":{"constructor":{"prototype":{"polluted":"yes"}}},"style":"","theme":{}}',
    '{"__proto__":{"polluted":"yes"},"words":{},"style":"","theme":{"__proto__":{"polluted":"yes"}}}',
  ].flatMap((json, place) => [[json, ""], [json, `x-${place}`]]))("%s as the configuration (locale %j) changes no other object", async (json, locale) => {
    const real = page.bff.fetch;
    globalThis.fetch = ((input: string, init?: RequestInit) =>
      input.includes("/v1/config") ? Promise.resolve(poisoned(json)) : real(input, init)) as typeof fetch;
    const element = add("hitchpost-connect", { connector: "crm", locale });
    await pass(100);
    expect(main(element).textContent).not.toContain("yes");
  });

  it("as a new attempt, a reading or a problem does not either, and the flow ends as it would", async () => {
    const answers = [
      '{"id":"at_1","launch_token":"lt","partner_origin":"https://partner.example","callback_message":"m","__proto__":{"polluted":"yes"}}',
      '{"id":"at_1","status":"declined","error":{"code":"declined","title":"t","next_step":"n","__proto__":{"polluted":"yes"}},"__proto__":{"status":"connected"}}',
    ];
    page.bff.troubles.push(...answers.map((json) => () => poisoned(json)));
    const flow = page.connect("crm");
    await pass(0);
    FakePopup.last.ready();
    await pass(2000);
    expect(flow.outcome).toMatchObject({ code: "declined", title: "t" });
  });

  it("as settings of the host's own does not either", () => {
    configure(JSON.parse('{"__proto__":{"polluted":"yes","base":"https://evil.example"}}') as object);
    expect(settings.base).toBe("https://bff.example/prefix");
  });

  it("as what this tab remembers does not either", async () => {
    sessionStorage.setItem("hitchpost", '{"__proto__":{"polluted":"yes"},"id":"at_1","connector":"crm"}');
    page.connect("crm");
    await pass(0);
  });
});
