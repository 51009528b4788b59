// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { readConnections } from "../src/bff.js";
import { configure, sessionFrom } from "../src/session.js";
import type { Session } from "../src/types.js";
import { problem } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();

const answer = (token: string, seconds = 3600): Response =>
  Response.json({ token, expires_in: seconds });

const bearers = (): (string | undefined)[] => page.bff.asked("POST", "/attempts").map(({ headers }) => headers.Authorization);

describe("who is signed in", () => {
  it("sends the token, the header that no form can send, and no cookie to another origin (as fetch does by itself)", async () => {
    page.connect("crm");
    await pass(0);
    const [call] = page.bff.asked("POST", "/attempts");
    expect(call).toMatchObject({ credentials: undefined, headers: { "X-Hitchpost": "1", Authorization: "Bearer tok" } });
  });

  it("sends cookies to the BFF's own origin alone when no session was given", async () => {
    configure({ session: undefined });
    page.connect("crm");
    await pass(0);
    const [call] = page.bff.asked("POST", "/attempts");
    expect(call?.credentials).toBeUndefined();
    expect(call?.headers).not.toHaveProperty("Authorization");
  });

  it("reads the session URL once, and again when the token is near its end", async () => {
    page.bff.sessions.push(answer("one", 100), answer("two", 1000));
    configure({ session: sessionFrom("/session") });
    page.connect("crm");
    page.connect("crm");
    await pass(0);
    expect(bearers()).toEqual(["Bearer one", "Bearer one"]);
    expect(page.bff.asked("GET", "/session")).toHaveLength(1);
    await pass(71_000);
    page.connect("crm");
    await pass(0);
    expect(bearers().at(-1)).toBe("Bearer two");
  });

  it("never uses a token that comes late, for a user who has left", async () => {
    let arrive: (token: string) => void = () => undefined;
    configure({ session: () => new Promise<string>((resolve) => { arrive = resolve; }) });
    page.connect("crm");
    await pass(0);
    configure({ session: () => "next" });
    arrive("left");
    await pass(0);
    page.connect("crm");
    await pass(0);
    expect(bearers().at(-1)).toBe("Bearer next");
  });

  it("uses the next user's token no longer than it lives, though the last user's comes late", async () => {
    let arrive: (session: Session) => void = () => undefined;
    configure({ session: () => new Promise<Session>((resolve) => { arrive = resolve; }) });
    page.connect("crm");
    await pass(0);
    let given = 0;
    configure({ session: () => ({ token: `next-${String(++given)}`, expires_in: 60 }) });
    page.connect("crm");
    await pass(0);
    arrive({ token: "left", expires_in: 3600 });
    await pass(60_000);
    page.connect("crm");
    await pass(0);
    expect(bearers().at(-1)).toMatch(/^Bearer next-[2-9]/);
  });

  it("is nobody when the session URL redirects to a sign-in page on another origin", async () => {
    let followed = 0;
    const answered = globalThis.fetch;
    vi.stubGlobal("fetch", (url: string, more?: RequestInit) => {
      if (url !== "/session") return answered(url, more);
      // What browsers make of a redirect that is not followed (Fetch standard, opaque-redirect filtered response).
      if (more?.redirect === "manual") return Promise.resolve({ type: "opaqueredirect", status: 0, ok: false });
      followed++;
      return Promise.reject(new TypeError("Failed to fetch"));
    });
    configure({ session: sessionFrom("/session") });
    const flow = page.connect("crm");
    await pass(1000);
    expect([followed, flow.outcome]).toMatchObject([1, { code: "not_signed_in" }]);
  });

  it("may be told by a URL that redirects within the page's origin", async () => {
    const answered = globalThis.fetch;
    vi.stubGlobal("fetch", (url: string, more?: RequestInit) => {
      if (url !== "/session") return answered(url, more);
      return Promise.resolve(more?.redirect === "manual" ? { type: "opaqueredirect", status: 0, ok: false } : answer("moved"));
    });
    configure({ session: sessionFrom("/session") });
    page.connect("crm");
    await pass(0);
    expect(bearers()).toEqual(["Bearer moved"]);
  });

  it.each([undefined, null])("configures nothing with the base %s, and says so at the press", async (base) => {
    configure({ base: base as unknown as string });
    const flow = page.connect("crm");
    await pass(1000);
    expect(flow.outcome).toMatchObject({ code: "invalid_request" });
  });

  it("gets a new token once when the BFF refuses the one it has", async () => {
    page.bff.sessions.push(answer("old"), answer("new"));
    page.bff.refused.add("old");
    configure({ session: sessionFrom("/session") });
    const flow = page.connect("crm");
    await pass(0);
    expect(bearers()).toEqual(["Bearer old", "Bearer new"]);
    expect(flow.outcome).toBeUndefined();
  });

  it("gets a new token when the old one is refused in the middle of a flow, which goes on", async () => {
    page.bff.sessions.push(answer("old"), answer("new"));
    configure({ session: sessionFrom("/session") });
    const flow = page.connect("crm");
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    page.bff.refused.add("old");
    page.bff.end("connected");
    await pass(10_000);
    expect(page.bff.reads.map(({ headers }) => headers.Authorization)).toEqual(["Bearer old", "Bearer new"]);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });

  it("rejects not_signed_in when the new token is refused too", async () => {
    page.bff.sessions.push(answer("old"));
    page.bff.refused.add("old");
    configure({ session: sessionFrom("/session") });
    const flow = page.connect("crm");
    await pass(0);
    expect(flow.outcome).toMatchObject({ code: "not_signed_in" });
    expect(bearers()).toHaveLength(2);
  });

  it.each([
    ["the session URL says no", sessionFrom("/session")],
    ["the host's function throws", () => Promise.reject(new Error("signed out"))],
    ["the token is empty", () => ""],
  ])("rejects not_signed_in when %s, and asks again the next time", async (_, session) => {
    configure({ session });
    const flow = page.connect("crm");
    await pass(0);
    expect(flow.outcome).toMatchObject({ code: "not_signed_in" });
    expect(page.bff.asked("POST", "/attempts")).toHaveLength(0);
    page.bff.sessions.push(answer("late"));
    configure({ session: sessionFrom("/session") });
    page.connect("crm");
    await pass(0);
    expect(bearers()).toEqual(["Bearer late"]);
  });

  const passedOn = async (): Promise<Session> => (await fetch("/session")).json() as Promise<Session>;
  it.each<[string, () => Promise<Session>, Response]>([
    ["the session URL fails", sessionFrom("/session"), new Response("", { status: 500 })],
    ["the session URL is asked too often", sessionFrom("/session"), problem(429, "rate_limited", "Too many")],
    ["the host passes on that the BFF's storage is away", passedOn, problem(503, "storage_unavailable", "Away")],
    ["the host passes on that it asks too often", passedOn, problem(429, "rate_limited", "Too many")],
  ])("keeps waiting when %s in the middle of a flow: the connection may stand", async (_, session, failure) => {
    page.bff.sessions.push(answer("one", 31));
    configure({ session });
    const flow = page.connect("crm");
    await pass(0);
    page.bff.sessions.splice(0, 1, failure);
    await pass(20_000);
    expect(flow.outcome).toBeUndefined();
    page.bff.sessions.splice(0, 1, answer("two"));
    page.bff.end("connected");
    await pass(6000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });

  it("is asked for another token once in each call, also where a proxy refuses all of them", async () => {
    const refuse = vi.fn(() => Promise.resolve(Response.json({}, { status: 401 })));
    vi.stubGlobal("fetch", refuse);
    readConnections().catch(() => undefined);
    await pass(30_000);
    expect(refuse.mock.calls.length).toBeLessThan(40); // One renewal, and then the repeats after a pause.
  });

  it("ends each flow with an error of its own, and closes its window, when the session is over for all of them", async () => {
    page.bff.sessions.push(answer("one", 40));
    configure({ session: sessionFrom("/session") });
    const flows = [page.connect("crm"), page.connect("erp")];
    await pass(0);
    for (const popup of FakePopup.opened) popup.ready();
    await pass(0);
    page.bff.sessions.splice(0, 1, new Response("", { status: 401 }));
    await pass(10_500);
    dispatchEvent(new Event("focus"));
    await pass(3000);
    expect(flows.map(({ outcome }) => outcome)).toMatchObject([{ code: "not_signed_in", attempt: "at_1" }, { code: "not_signed_in", attempt: "at_2" }]);
    expect(FakePopup.opened.map(({ closed }) => closed)).toEqual([true, true]);
  });
});
