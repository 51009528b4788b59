// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { BASE } from "./fake-bff.js";
import { pass, remembered, usePage } from "./page.js";

const page = usePage();

/** Loads the script by a tag with these `data-` attributes. */
async function load(data: Record<string, string>, base = BASE): Promise<void> {
  const tag = document.createElement("script");
  Object.assign(tag.dataset, data);
  Object.defineProperty(tag, "src", { value: `${base}/widget/v1/hitchpost.js` });
  Object.defineProperty(document, "currentScript", { value: tag, configurable: true });
  await fresh();
}

/** Runs the script, and waits for the panel. */
async function fresh(panel = (): Promise<unknown> => import("../src/panel.js")): Promise<void> {
  vi.resetModules();
  const { hooks } = await import("../src/hooks.js");
  let importing: Promise<unknown> | undefined;
  hooks.importModule = ((url) => (url.includes("panel") ? (importing = panel()) : url.includes("resume") ? (importing = import("../src/resume.js")) : Promise.reject(new Error("not now")))) as typeof hooks.importModule;
  await import("../src/index.js");
  await importing;
}

interface Global {
  Hitchpost?: { connect: (connector: string) => Promise<unknown>; configure: unknown };
}

// These tests load the script many times, but an element can be defined only once.
const define = customElements.define.bind(customElements);
customElements.define = (name, element) => {
  if (!customElements.get(name)) define(name, element);
};

beforeEach(() => {
  delete (globalThis as Global).Hitchpost;
});

describe("the script", () => {
  it("finds the BFF by its own URL, and product and session by its tag", async () => {
    await load({ product: "demo", session: "from-tag" });
    (globalThis as Global).Hitchpost?.connect("crm").catch(() => undefined);
    await pass(0);
    expect(page.bff.asked("POST", "/attempts")).toMatchObject([
      { path: "/prefix/v1/attempts", headers: { Authorization: "Bearer from-tag" } },
    ]);
    page.bff.end("declined");
    await pass(5000);
  });

  it.each(["/widget", "/apps/widget/connect"])("finds a BFF that is mounted below %s", async (prefix) => {
    await load({ product: "demo", session: "t" }, `https://bff.example${prefix}`);
    (globalThis as Global).Hitchpost?.connect("crm").catch(() => undefined);
    await pass(0);
    // The fake BFF knows no attempts at this path. Only the URL of the call is checked.
    expect(page.bff.asked("POST", "/attempts")).toMatchObject([{ path: `${prefix}/v1/attempts` }]);
    await pass(5000);
  });

  it("changes nothing when it is loaded a second time", async () => {
    await load({ product: "demo", session: "one" });
    const first = (globalThis as Global).Hitchpost;
    await load({ product: "other", session: "two" });
    expect((globalThis as Global).Hitchpost).toBe(first);
    const button = document.createElement("button");
    button.dataset.hitchpostConnect = "crm";
    document.body.append(button);
    button.click();
    await pass(0);
    expect(page.bff.asked("POST", "/attempts").filter(({ headers }) => headers.Authorization === "Bearer two")).toHaveLength(0);
  });

  it("takes the settings of the tag of the next page, which a library has put in the place of this one", async () => {
    await load({ product: "demo", session: "ada" });
    const tag = document.createElement("script");
    Object.assign(tag.dataset, { product: "demo", session: "grace" });
    tag.type = "text/plain"; // So that happy-dom does not load it.
    tag.setAttribute("src", `${BASE}/widget/v1/hitchpost.js`);
    document.body.append(tag);
    Object.defineProperty(document, "currentScript", { value: tag, configurable: true });
    await fresh();
    tag.remove();
    (globalThis as Global).Hitchpost?.connect("crm").catch(() => undefined);
    await pass(0);
    expect(page.bff.asked("POST", "/attempts").map(({ headers }) => headers.Authorization)).toEqual(["Bearer grace"]);
    page.bff.end("declined");
    await pass(5000);
  });

  it("uses the attempt that was made ahead of the click, also when that was before the BFF had told how to sign in", async () => {
    page.bff.delivery = "message";
    await load({ product: "demo", session: "early" });
    const button = document.createElement("button");
    button.dataset.hitchpostConnect = "crm";
    document.body.append(button);
    button.dispatchEvent(new Event("pointerover", { bubbles: true }));
    await pass(0);
    button.click();
    await pass(0);
    expect(page.bff.asked("POST", "/attempts").filter(({ headers }) => headers.Authorization === "Bearer early")).toHaveLength(1);
    page.bff.end("declined");
    await pass(5000);
  });

  it("signs in as the BFF says for this browser, where the page says nothing of its own", async () => {
    page.bff.delivery = "return";
    HTMLFormElement.prototype.submit = (): void => undefined;
    await load({ product: "demo", session: "in-app" });
    const { HitchpostConnect } = await import("../src/element.js");
    customElements.define("in-app-connect", class extends HitchpostConnect {});
    document.body.append(document.createElement("in-app-connect"));
    await pass(0);
    for (const delivery of [undefined, "message"]) {
      const button = document.createElement("button");
      button.dataset.hitchpostConnect = "crm";
      if (delivery) button.dataset.hitchpostDelivery = delivery;
      document.body.append(button);
      button.click();
    }
    await pass(0);
    const asked = page.bff.asked("POST", "/attempts").filter(({ headers }) => headers.Authorization === "Bearer in-app");
    expect(asked.map(({ body }) => body?.delivery)).toEqual(["return", undefined]);
  });

  it("reads how to sign in on a page without any button, for a call of connect", async () => {
    page.bff.delivery = "return";
    HTMLFormElement.prototype.submit = (): void => undefined;
    await load({ product: "demo", session: "no-button" });
    await pass(0);
    (globalThis as Global).Hitchpost?.connect("crm").catch(() => undefined);
    await pass(0);
    expect(page.bff.asked("POST", "/attempts").at(-1)?.body).toMatchObject({ delivery: "return" });
    page.bff.end("connected");
    await pass(20_000);
  });

  it("A30 goes on with what this tab remembers, tells the connector's element, and forgets it", async () => {
    await page.bff.fetch(`${BASE}/v1/attempts`, { method: "POST", body: '{"connector":"crm"}' });
    page.bff.end("connected");
    sessionStorage.setItem("hitchpost resumed at_1", "crm");
    const element = document.createElement("hitchpost-connect");
    element.setAttribute("connector", "crm");
    document.body.append(element);
    const seen: unknown[] = [];
    element.addEventListener("hitchpost:connected", ({ detail }) => seen.push(detail));
    await load({ product: "resumed", session: "x" });
    dispatchEvent(new Event("load"));
    await pass(0);
    expect(seen).toMatchObject([{ attempt: "at_1", channel: "returned" }]);
    expect(remembered()).toEqual({});
  });

  it("tells the document when no element stands for the remembered connector", async () => {
    sessionStorage.setItem("hitchpost resumed at_1", "crm");
    await page.bff.fetch(`${BASE}/v1/attempts`, { method: "POST", body: '{"connector":"crm"}' });
    page.bff.end("expired");
    const seen: unknown[] = [];
    document.addEventListener("hitchpost:failed", ({ detail }) => seen.push(detail), { once: true });
    await load({ product: "resumed", session: "x" });
    dispatchEvent(new Event("load"));
    await pass(0);
    expect(seen).toMatchObject([{ code: "expired" }]);
  });

  it("runs though an element of the page has its name, and so does another's currentScript", async () => {
    const own = document.createElement("form");
    Object.assign(globalThis, { Hitchpost: own });
    const tag = document.createElement("script");
    tag.src = `${BASE}/widget/v1/hitchpost.js`;
    Object.assign(tag.dataset, { product: "demo", session: "mine" });
    document.head.append(tag);
    const image = document.createElement("img");
    Object.assign(image.dataset, { product: "evil", session: "theirs" });
    image.src = "https://evil.example/widget/v1/x.js";
    Object.defineProperty(document, "currentScript", { value: image, configurable: true });
    await fresh();
    tag.remove();
    (globalThis as Global).Hitchpost?.connect("crm").catch(() => undefined);
    await pass(0);
    expect(page.bff.asked("POST", "/attempts")[0]?.headers.Authorization).toBe("Bearer mine");
    page.bff.end("declined");
    await pass(5000);
  });

  it("waits, as a module without a tag, until it is configured; then it names its buttons and goes on with what was left", async () => {
    await page.bff.fetch(`${BASE}/v1/attempts`, { method: "POST", body: '{"connector":"crm"}' });
    page.bff.end("connected");
    sessionStorage.setItem("hitchpost late at_1", "crm");
    const told: unknown[] = [];
    document.addEventListener("hitchpost:connected", ({ detail }) => told.push(detail), { once: true });
    Object.defineProperty(document, "currentScript", { value: null, configurable: true });
    const asked = page.bff.calls.length;
    await fresh();
    const { HitchpostConnect } = await import("../src/element.js");
    customElements.define("late-connect", class extends HitchpostConnect {});
    const element = document.createElement("late-connect");
    element.setAttribute("data-hitchpost-connect", "crm");
    document.body.append(element);
    dispatchEvent(new Event("load"));
    await pass(1000);
    expect([page.bff.calls.length - asked, told.length]).toEqual([0, 0]);
    ((globalThis as Global).Hitchpost?.configure as (given: object) => void)({ base: BASE, product: "late", session: () => "late" });
    await pass(0);
    expect(element.shadowRoot?.textContent).toContain("Connect Acme CRM");
    expect(told).toMatchObject([{ attempt: "at_1" }]);
  });

  it("has its elements ask anew when it is configured for another user", async () => {
    await load({ product: "demo", session: "ada" });
    const { HitchpostConnect } = await import("../src/element.js");
    customElements.define("another-connect", class extends HitchpostConnect {});
    const element = document.createElement("another-connect");
    element.setAttribute("data-hitchpost-connect", "crm");
    document.body.append(element);
    await pass(0);
    const before = page.bff.asked("GET", "/config").length;
    ((globalThis as Global).Hitchpost?.configure as (given: object) => void)({ session: () => "ben" });
    await pass(0);
    expect(page.bff.asked("GET", "/config").slice(before)).toMatchObject([{ headers: { Authorization: "Bearer ben" } }]);
  });
});
