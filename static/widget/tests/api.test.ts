// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ConnectError } from "../src/errors.js";
import type { HitchpostApi } from "../src/globals.js";
import * as headless from "../src/headless.js";
import { configure } from "../src/session.js";
import { api } from "../src/start.js";
import { problem } from "./fake-bff.js";
import { pass, usePage, watching } from "./page.js";

const page = usePage();
const heard: { target: EventTarget | null; detail: { connection: string } }[] = [];
document.addEventListener("hitchpost:disconnected", ({ target, detail }) => heard.push({ target, detail }));
beforeEach(() => { heard.length = 0; });

describe.each<[string, Pick<HitchpostApi, "connections" | "disconnect">]>([
  ["Hitchpost", api],
  ["the headless module", headless],
])("%s", (_name, given) => {
  it("lists the account's connections as the BFF tells them", async () => {
    page.bff.account.add("crm");
    page.bff.account.add("erp", { state: "needs_reconnect", reason: "revoked" });
    const found = await given.connections();
    expect(found).toEqual(page.bff.account.all);
    expect(page.bff.asked("GET", "/v1/connections")[0]?.headers.Authorization).toBe("Bearer tok");
  });

  it("ends one, and then the document is told, or whoever is named", async () => {
    const [first, second] = [page.bff.account.add("crm"), page.bff.account.add("crm")];
    await given.disconnect(first.id);
    const target = document.body.appendChild(document.createElement("p"));
    await given.disconnect(second.id, target);
    expect(heard).toEqual([
      { target: document, detail: { connection: first.id } },
      { target, detail: { connection: second.id } },
    ]);
    expect(page.bff.account.asked).toEqual([first.id, second.id]);
  });

  it("rejects with a ConnectError in words fit to show, and tells nobody of an end that was none", async () => {
    const refused = await given.disconnect("1").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConnectError);
    expect(refused).toMatchObject({ code: "invalid_request", title: "There is no such connection", nextStep: "Do this." });
    expect(heard).toEqual([]);
  });

  it("says who is signed out, and when the BFF cannot be reached", async () => {
    page.bff.refused.add("tok");
    await expect(given.connections()).rejects.toMatchObject({ code: "not_signed_in", title: "You are signed out" });
    page.bff.refused.clear();
    page.bff.troubles.push(() => problem(503, "partner_unavailable", "The service is away"));
    await expect(given.connections()).rejects.toMatchObject({ code: "partner_unavailable", title: "The service is away" });
    for (let times = 0; times < 60; times++) page.bff.troubles.push(() => { throw new TypeError("Failed to fetch"); });
    const lost = watching(given.connections());
    await pass(30_000);
    expect(lost.outcome).toMatchObject({ code: "network" });
  });

  it("asks nobody before the page has said whom", async () => {
    const complained = vi.spyOn(console, "error").mockReturnValue();
    configure({ base: "", product: "" });
    await expect(given.connections()).rejects.toMatchObject({ code: "invalid_request" });
    expect(page.bff.calls).toEqual([]);
    complained.mockRestore();
  });
});
