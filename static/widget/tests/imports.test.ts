// @vitest-environment happy-dom
// The widget's further files are imported again after a failure, and installed once.
import { expect, it, vi } from "vitest";
import * as connections from "../src/connections.js";
import { hooks, type LazyModule } from "../src/hooks.js";
import { kit } from "../src/kit.js";
import { install } from "../src/panel.js";
import { api } from "../src/start.js";
import { add } from "./elements.js";
import { BASE } from "./fake-bff.js";
import { offer, visible } from "./lists.js";
import { pass, usePage } from "./page.js";

const page = usePage();

/** Makes the first imports fail. Returns the names that were asked for. */
function failing(failures: number, module: LazyModule): string[] {
  const asked: string[] = [];
  hooks.importModule = (url) => {
    asked.push(url.replace(/.*\//, ""));
    return asked.length > failures ? Promise.resolve(module) : Promise.reject(new TypeError("Failed to fetch"));
  };
  return asked;
}

it("the panel is tried again with growing pauses, and at once when the page calls configure", async () => {
  const installPanel = vi.fn();
  const asked = failing(3, { install: installPanel });
  api.configure({ base: BASE });
  await pass(1100);
  expect(asked).toEqual(["panel.js", "panel.js?4000"]);
  api.configure({ base: BASE });
  api.configure({ base: BASE });
  await pass(0);
  expect(asked).toEqual(["panel.js", "panel.js?4000", "panel.js?16000"]);
  await pass(17_000);
  expect(asked).toHaveLength(4);
  expect(installPanel).toHaveBeenCalledOnce();
});

it("a panel that throws while it is installed is not installed again", async () => {
  vi.resetModules();
  const fresh = { ...(await import("../src/hooks.js")), ...(await import("../src/start.js")) };
  const installPanel = vi.fn(() => { throw new Error("in the panel"); });
  fresh.hooks.importModule = () => Promise.resolve({ install: installPanel });
  const uncaught = vi.fn();
  process.once("unhandledRejection", uncaught);
  fresh.api.configure({ base: BASE, product: "demo" });
  await pass(5000);
  fresh.api.configure({ base: BASE });
  await pass(5000);
  expect(installPanel).toHaveBeenCalledOnce();
});

it("a list comes though its file could not be fetched at first, under another address; two lists share each try", async () => {
  install(kit);
  offer(page, 2);
  const asked = failing(2, connections);
  const [one, other] = [add("hitchpost-connections", {}), add("hitchpost-connections", {})];
  await pass(10_000);
  expect(asked).toEqual(["connections.js", "connections.js?4000", "connections.js?16000"]);
  expect([visible(one), visible(other)]).toEqual([["c1", "c2"], ["c1", "c2"]]);
});
