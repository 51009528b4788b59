// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { install } from "../src/diagnose.js";
import { kit } from "../src/kit.js";
import { configure } from "../src/session.js";
import { BASE, problem } from "./fake-bff.js";
import { usePage } from "./page.js";

usePage();

/** The answer of each URL. A function that throws stands for a URL that cannot be reached. */
let answers: Record<string, () => Response> = {};
let lines: string[] = [];

beforeEach(() => {
  lines = [];
  answers = { "/v1/advice": () => Response.json({ advice: null }), "/v1/config": () => Response.json({}) };
  vi.stubGlobal("fetch", async (url: string) => {
    await Promise.resolve();
    const { pathname } = new URL(url, "https://host.example");
    const answer = answers[pathname.replace("/prefix", "")];
    if (!answer) throw new TypeError("Failed to fetch");
    return answer();
  });
  vi.spyOn(console, "error").mockImplementation((line: string) => lines.push(line));
});

/** The page's tag, with the URL of its session. */
function tag(url: string): void {
  const script = document.createElement("script");
  script.type = "text/plain"; // It must not run: only its attributes are used.
  script.dataset.sessionUrl = url;
  document.body.append(script);
}

const text = (body: string, status = 200, type = "text/html"): Response => new Response(body, { status, headers: { "Content-Type": type } });

describe("a session URL that", () => {
  it.each<[string, () => Response, RegExp]>([
    ["does not exist", () => text("", 404), /\/session answers 404: there is no such route/],
    ["answers HTML", () => text("<p>Sign in"), /\/session answers no JSON but text\/html: your route must answer \{"token", "expires_in"\}/],
    ["answers 401", () => text("", 401), /answers 401: your server says that nobody is signed in, or the BFF refuses its secret key/],
    ["is asked too often", () => text("", 429), /answers 429: it is asked too often/],
    ["is broken", () => text("", 500), /answers 500: see the log of your server/],
    ["passes on that the BFF refused it", () => Response.json({ detail: "user.id: a number" }), /answers no "token" \(the BFF's reason: user\.id: a number\)/],
    ["passes on 401 for a wrong secret key", () => Response.json({ code: "not_signed_in", detail: "this bearer is no secret key" }, { status: 401 }), /answers 401.+this bearer is no secret key/],
    ["answers another object", () => Response.json({ jwt: "x" }), /answers no "token": your route must answer/],
  ])("%s", async (_, answer, line) => {
    tag("/session");
    answers["/session"] = answer;
    await install(kit);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });

  it("lives on another origin", async () => {
    tag("https://api.host.example/session");
    await install(kit);
    expect(lines).toEqual([expect.stringMatching(/https:\/\/api\.host\.example\/session is on another origin than this page/)]);
  });

  it("cannot be reached", async () => {
    tag("/session");
    await install(kit);
    expect(lines).toEqual([expect.stringMatching(/\/session cannot be reached: is your server running/)]);
  });
});

describe("a session function that", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["gives nothing", () => undefined, /gives no token: return the token/],
    ["gives the BFF's refusal", () => ({ detail: "assertion: aud" }), /gives no token \(the BFF's reason: assertion: aud\)/],
    ["throws", () => { throw new Error("mine"); }, /throws: Error: mine$/],
    ["reads a page as JSON", async () => (await new Response("<!doctype html>").json()) as never, /throws: SyntaxError: .*answers a page instead of JSON/],
  ])("%s", async (_, session, line) => {
    configure({ session: session as () => string });
    await install(kit);
    expect(lines).toEqual([expect.stringMatching(line)]);
  });
});

describe("the BFF", () => {
  it("says what to write where the origin or the product is wrong", async () => {
    answers["/v1/advice"] = () => Response.json({ advice: 'add "http://localhost:5173" to the origins' });
    await install(kit);
    expect(lines).toEqual(['Hitchpost: add "http://localhost:5173" to the origins']);
  });

  it("is not there", async () => {
    delete answers["/v1/advice"];
    await install(kit);
    expect(lines[0]).toContain(`${BASE} does not answer this page`);
  });

  it("refuses the token", async () => {
    answers["/v1/config"] = () => Response.json({ detail: "product 'x' of this session is not known here" }, { status: 401 });
    await install(kit);
    expect(lines).toEqual([expect.stringMatching(/refuses this session with 401 \(the BFF's reason: product 'x'/)]);
  });

  it("is asked by a page without any session", async () => {
    configure({ session: undefined });
    answers["/v1/config"] = () => problem(401, "not_signed_in", "Not signed in");
    await install(kit);
    expect(lines).toEqual([expect.stringMatching(/names no session: set data-session-url/)]);
  });

  it("has nothing to say where all is well", async () => {
    await install(kit);
    expect(lines).toEqual([]);
  });
});
