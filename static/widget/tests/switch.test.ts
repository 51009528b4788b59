// @vitest-environment happy-dom
// Another user or account signs in while the page stays: an organisation switcher, or a library that loads the next page into it.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { add, launch, main, names, status, useElements } from "./elements.js";
import { problem } from "./fake-bff.js";
import { pass, usePage } from "./page.js";
import { api } from "../src/start.js";

const page = usePage();
const seen = useElements();

beforeEach(() => { vi.stubGlobal("Hitchpost", api); });

const bearers = (): string[] => page.bff.calls.flatMap(({ headers }) => headers.Authorization ?? []);

describe("a sign-in that another user began", () => {
  it("ends in silence, and its button is free", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    await launch(page);
    api.configure({ session: () => "next" });
    page.bff.troubles.push(() => problem(404, "not_found", "There is nothing here"));
    await pass(20_000);
    expect([seen.failed, status(element), names(element), main(element).ariaBusy]).toEqual([[], "", [], "false"]);
  });
});

describe("the session of a page that a library has replaced", () => {
  it.each(["turbo:render", "htmx:historyRestore", "livewire:navigated"])("is asked for again after %s", async (name) => {
    let user = "ada";
    api.configure({ session: () => user });
    add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    user = "grace";
    document.dispatchEvent(new Event(name, { bubbles: true }));
    await pass(500);
    expect([bearers()[0], bearers().at(-1)]).toEqual(["Bearer ada", "Bearer grace"]);
  });

  it("is asked for again when the browser shows the page from its cache", async () => {
    let user = "ada";
    api.configure({ session: () => user });
    add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    user = "grace";
    dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    await pass(500);
    expect(bearers().at(-1)).toBe("Bearer grace");
  });
});
