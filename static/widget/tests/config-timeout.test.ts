// @vitest-environment happy-dom
// A configuration that does not load is diagnosed only where somebody waits for it.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HitchpostConnect } from "../src/element.js";
import { hooks } from "../src/hooks.js";
import { kit } from "../src/kit.js";
import { install } from "../src/panel.js";
import { ELEMENT_NAME } from "../src/request.js";
import { add } from "./elements.js";
import { pass, usePage } from "./page.js";

const page = usePage();
let loaded: string[] = [];

beforeAll(() => {
  customElements.define(ELEMENT_NAME, HitchpostConnect);
  hooks.importModule = (url) => {
    loaded.push(url.replace(/.*\//, ""));
    return Promise.resolve({ install: () => undefined });
  };
});

beforeEach(() => {
  loaded = [];
  kit.subscribers.clear(); // Of the panel of the test before.
  page.bff.configured = false;
});

describe("if the configuration has not loaded after four seconds", () => {
  it.each([["an element", ["diagnose.js"], 1], ["none", [], 0]])("with %s on the page, the files loaded are %j", async (_, files, elements) => {
    if (elements) add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    install(kit);
    await pass(4100);
    expect(loaded.filter((name) => name !== "panel.js")).toEqual(files);
  });
});
