// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { add, main, status, useElements } from "./elements.js";
import { BFF_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";
import { api } from "../src/start.js";

const page = usePage();
const seen = useElements();
const ADVICE = `Hitchpost: add ${BFF_ORIGIN} to connect-src of this page's CSP`;

/** The browser blocks every call to the BFF, and reports it a moment later. */
function forbid(blockedURI: string, effectiveDirective = "connect-src", disposition = "enforce"): void {
  vi.stubGlobal("fetch", () => {
    setTimeout(() => {
      window.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI, effectiveDirective, disposition }));
    });
    return Promise.reject(new TypeError("Failed to fetch"));
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a page whose policy keeps us from the BFF", () => {
  it("is no page that is merely offline, nor one with some other fault in its policy, or whose policy only reports", async () => {
    const told = vi.spyOn(console, "error").mockReturnValue();
    for (const [uri, directive, disposition] of [["https://elsewhere.example/x", "connect-src"], [BFF_ORIGIN, "img-src"], [BFF_ORIGIN, "connect-src", "report"], [`${BFF_ORIGIN}/api/of-the-page`, "connect-src"], [`${BFF_ORIGIN}/prefix-too/v1/x`, "connect-src"]] as const) {
      forbid(uri, directive, disposition);
      const flow = page.connect("crm");
      await pass(16_000);
      expect(flow.outcome).toMatchObject({ code: "network" });
    }
    expect(told).not.toHaveBeenCalled();
  });

  it("is none whose policy knows every call but the press: that one costs a moment only", async () => {
    const told = vi.spyOn(console, "error").mockReturnValue();
    forbid(`${BFF_ORIGIN}/prefix/v1/press`);
    const flow = page.connect("crm");
    await pass(16_000);
    expect(flow.outcome).toMatchObject({ code: "network" });
    expect(told).not.toHaveBeenCalled();
  });

  it("is told so by one line in the console, by the element without a click, and by a click at once", async () => {
    const told = vi.spyOn(console, "error").mockReturnValue();
    forbid(`${BFF_ORIGIN}/prefix/v1/config`);
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(600);
    expect(status(element)).toBe(ADVICE);
    main(element).click();
    await pass(600);
    expect(seen.failed).toMatchObject([{ code: "invalid_request", title: ADVICE }]);
    expect(FakePopup.last.closed).toBe(true);
    expect(told.mock.calls).toEqual([ADVICE.split(/(?<=:) /)]);
    vi.stubGlobal("fetch", page.bff.fetch);
    page.bff.account.add("crm");
    api.configure({ base: `${BFF_ORIGIN}/prefix/` });
    await pass(500);
    expect(status(element)).not.toBe(ADVICE);
  });
});
