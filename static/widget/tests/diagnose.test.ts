// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { install } from "../src/diagnose.js";
import { kit } from "../src/kit.js";
import { configure, sessionFrom, settings } from "../src/session.js";
import { BASE, problem } from "./fake-bff.js";
import { pass, usePage } from "./page.js";

usePage();

/** The answer of each URL. A function that throws stands for a URL that cannot be reached. */
let answers: Record<string, () => Response> = {};
let lines: string[] = [];

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation((...said: unknown[]) => void lines.push(said.join(" ")));
  kit.logError("the last line of the test before"); // The same line is not logged twice in a row.
  lines = [];
  answers = { "/v1/advice": () => Response.json({ advice: null }), "/v1/config": () => Response.json({}) };
  vi.stubGlobal("fetch", async (url: string) => {
    await Promise.resolve();
    const { pathname } = new URL(url, "https://host.example");
    const answer = answers[pathname.replace("/prefix", "")];
    if (!answer) throw new TypeError("Failed to fetch");
    return answer();
  });
});

/** The settings of a page, as somebody wrote them. */
const written = (given: object): void => { configure(given); };

afterEach(() => {
  const known = ["base", "product", "session", "locale", "delivery"];
  for (const name of Object.keys(settings)) if (!known.includes(name)) Reflect.deleteProperty(settings, name);
  settings.delivery = undefined;
});

/** The session comes from this URL, which the page's tag names. */
function tag(url: string): void {
  configure({ session: sessionFrom(url) });
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

  it("is none is named, and so is what the session function gives that replaces it", async () => {
    tag("https://");
    await install(kit);
    expect(lines).toEqual(['Hitchpost: data-session-url "https://" is no URL']);
    configure({ session: () => ({}) });
    await install(kit);
    expect(lines.slice(1)).toEqual([expect.stringMatching(/the session function of configure gives no token/)]);
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

it("a fetch that gives nothing is named", async () => {
  vi.stubGlobal("fetch", () => undefined);
  await install(kit);
  expect(lines).toContainEqual(expect.stringMatching(/fetch returns nothing: this page has replaced it/));
});

describe("a session function that", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["gives nothing", () => undefined, /gives no token: return the token/],
    ["gives the BFF's refusal", () => ({ detail: "assertion: aud" }), /gives no token \(the BFF's reason: assertion: aud\)/],
    ["throws", () => { throw new Error("mine"); }, /throws: Error: mine$/],
    ["gives the answer itself", () => Response.json({ token: "t" }), /gives the answer of fetch: return answer\.json\(\)$/],
    ["reads a page as JSON", async () => (await new Response("<!doctype html>").json()) as never, /throws: SyntaxError: .*answers a page instead of JSON/],
  ])("%s", async (_, session, line) => {
    configure({ session: session as () => string });
    await install(kit);
    expect(lines).toEqual([expect.stringMatching(line)]);
  });
});

describe("what has not come after ten seconds is named:", () => {
  const never = (): Promise<never> => new Promise(() => 0);

  it.each<[string, () => void, RegExp]>([
    ["a session function that never settles", () => { written({ session: never }); }, /no session token in 10 seconds: does your server answer/],
    ["a session URL that never answers", () => { tag("/session"); answers["/session"] = never as unknown as () => Response; }, /no session token in 10 seconds: does your server answer/],
  ])("%s", async (_, set, line) => {
    set();
    void install(kit);
    await pass(9000);
    expect(lines).toEqual([]);
    await pass(1500);
    expect(lines).toEqual([expect.stringMatching(line)]);
  });
});

describe("a setting that configure does not know", () => {
  it.each([
    ["sessionUrl", "session: () => fetch(URL).then((answer) => answer.json())"],
    ["session_url", "session: () => fetch(URL).then((answer) => answer.json())"],
    ["accessToken", "base, product, session, locale or delivery"],
    ["baseUrl", "base, product, session, locale or delivery"],
    ["productKey", "base, product, session, locale or delivery"],
    ["theme", "base, product, session, locale or delivery"],
  ])("is named, with what to write: %s", async (name, meant) => {
    written({ [name]: "x" });
    await install(kit);
    expect(lines).toEqual([`Hitchpost: configure does not know ${name}: write ${meant}`]);
  });

  it("is none that the script and the BFF set", async () => {
    written({ files: "https://bff.example/widget/v1/", advice: undefined, lang: "en", style: "", delivery: "return", locale: "de" });
    await install(kit);
    expect(lines).toEqual([]);
  });
});

describe("a setting of another form", () => {
  it.each<[string, object, string]>([
    ["a delivery that does not exist", { delivery: "tab" }, 'there is no delivery "tab": write "message" or "return"'],
    ["a session that is a token", { session: "tok" }, "session is no function: write session: () => token"],
  ])("%s", async (_, given, line) => {
    written(given);
    await install(kit);
    expect(lines).toEqual([`Hitchpost: ${line}`]);
  });

  it("a base with a path too many", async () => {
    answers["/v1/advice"] = () => problem(404, "not_found", "There is nothing here");
    await install(kit);
    expect(lines[0]).toBe(`Hitchpost: no BFF answers at ${BASE}: set base to its public URL`);
  });
});

describe("tags that do not do what was meant:", () => {
  /** Parses HTML as a browser does. */
  const html = (text: string): void => { document.body.innerHTML = text; };

  it.each([
    ["two products on one page", '<script type="text/plain" src="/widget/v1/h.js" data-product="demo"></script><script type="text/plain" src="/widget/v1/h.js" data-product="other"></script>', 'a script tag names the product "other", but this page uses "demo"'],
    ["an element that nobody closed", "<hitchpost-connect connector=a /><p>More</p>", "a <hitchpost-connect> is not closed: write </hitchpost-connect>, because HTML ignores />"],
    ["an element in an element", "<hitchpost-connect connector=a /><hitchpost-connect connector=b />", "a <hitchpost-connect> is not closed: write </hitchpost-connect>, because HTML ignores />"],
    ["a label of the page's own, which is none of these", "<hitchpost-connect connector=a><img alt=CRM src=''> <span>CRM</span></hitchpost-connect><p>More</p>", ""],
  ])("%s", async (_, text, line) => {
    html(text);
    await install(kit);
    expect(lines).toEqual(line ? [`Hitchpost: ${line}`] : []);
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
