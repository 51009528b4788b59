// Finds out why a page cannot use the BFF, and logs one line for each cause, for the page's developers. Loaded only after a failure.
import type { Kit } from "./kit.js";

/** The members of an answer that are used here. */
interface Answer {
  token?: unknown;
  /** Set in a problem document (RFC 9457). */
  detail?: unknown;
  advice?: unknown;
}

const EXPECTED_ANSWER = 'your route must answer {"token", "expires_in"}: return the answer of POST /v1/sessions';

/** The likely cause, by the status of the host's session URL. */
const CAUSES: Record<number, string> = {
  401: "your server says that nobody is signed in, or the BFF refuses its secret key",
  403: "your server forbids this request",
  404: "there is no such route on your server",
  405: "this route does not accept GET",
  429: "it is asked too often: let your server keep a token until it ends",
};

/** How long (milliseconds) the session may take to come. */
const SESSION_TIMEOUT = 10_000;

/** The settings that `configure` takes, and those that the script and the BFF set. */
const KNOWN_SETTINGS = /^(base|product|session|locale|delivery|files|advice|lang|style)$/;

/** Elements that end up inside an unclosed `<hitchpost-connect>` and never in a label. */
const SWALLOWED = "hitchpost-connect :is(hitchpost-connect, h2, p, form)";

/** Checks the page and its session, and logs what is wrong. */
export async function install(kit: Kit): Promise<void> {
  const { logError } = kit;
  for (const fault of setUpFaults(kit)) logError(fault);
  const advice = await checkProduct(kit);
  if (advice) logError(advice);
  const late = new Promise<string>((resolve) => { setTimeout(resolve, SESSION_TIMEOUT, "no session token in 10 seconds: does your server answer, and the session function settle?"); });
  const fault = await Promise.race([checkSession(kit, !advice), late]);
  if (fault) logError(fault);
}

/** What is wrong with the settings, and with the tags of the page. */
function* setUpFaults({ settings }: Kit): Generator<string> {
  const { product, session, delivery } = settings as unknown as Record<string, string>;
  for (const name in settings) {
    if (!KNOWN_SETTINGS.test(name)) yield `configure does not know ${name}: write ${/session/i.test(name) ? "session: () => fetch(URL).then((answer) => answer.json())" : "base, product, session, locale or delivery"}`;
  }
  if (delivery && !/^(message|return)$/.test(delivery)) yield `there is no delivery "${delivery}": write "message" or "return"`;
  if (session && typeof session !== "function") yield "session is no function: write session: () => token";
  for (const tag of document.querySelectorAll("script[data-product][src*='/widget/']")) {
    const named = tag.getAttribute("data-product");
    if (named !== product) yield `a script tag names the product "${String(named)}", but this page uses "${String(product)}"`;
  }
  if (document.querySelector(SWALLOWED)) yield "a <hitchpost-connect> is not closed: write </hitchpost-connect>, because HTML ignores />";
}

/** Checks the product and this page's origin, by a route that needs no session. */
async function checkProduct({ settings }: Kit): Promise<string | undefined> {
  const query = new URLSearchParams({ product: settings.product, origin: self.origin });
  try {
    const response = (await fetch(`${settings.base}/v1/advice?${query.toString()}`)) as Response | undefined;
    if (!response) return "fetch returns nothing: this page has replaced it";
    if (response.status === 404) return `no BFF answers at ${settings.base}: set base to its public URL`;
    const { advice } = (await response.json()) as Answer;
    return textOf(advice);
  } catch {
    return `${settings.base} does not answer this page: is the BFF running there, over https if this page is, and may this page's CSP (connect-src) call it?`;
  }
}

/** Checks the session. `callable`: whether this page can call the BFF, so that the token can be tried. */
const checkSession = async (kit: Kit, callable: boolean): Promise<string | undefined> => (await checkSource(kit)) ?? (callable ? checkToken(kit) : undefined);

/** Checks where the session comes from: the tag's URL, or the function of `configure`. */
async function checkSource({ settings: { session } }: Kit): Promise<string | undefined> {
  if (typeof session !== "function") return undefined; // There is none, or `setUpFaults` has told that it is no function.
  const { url } = session as { url?: string }; // Set if it is the tag's `data-session-url` (session.ts).
  if (url) return checkSessionUrl(url);
  try {
    const given: unknown = await session();
    if (given instanceof Response) return "the session function of configure gives the answer of fetch: return answer.json()";
    if (!tokenOf(given)) return `the session function of configure gives no token${detailOf(given)}: return the token, or {token, expires_in}`;
  } catch (error) {
    // `response.json()` throws a SyntaxError for an HTML page.
    const meaning = error instanceof SyntaxError ? " (its URL answers a page instead of JSON: is it a route of your server, does your development server pass it on, and is 401 the answer where nobody is signed in?)" : "";
    return `the session function of configure throws: ${String(error)}${meaning}`;
  }
  return undefined;
}

/** Checks the host's session URL: reachable, JSON, with a token, on this page's origin. */
async function checkSessionUrl(url: string): Promise<string | undefined> {
  let address: URL;
  try {
    address = new URL(url, document.baseURI);
  } catch {
    return `data-session-url "${url}" is no URL`;
  }
  const named = `data-session-url ${address.origin}${address.pathname}`;
  let response: Response;
  try {
    response = await fetch(url, { cache: "no-store" });
  } catch {
    const unfollowed = await fetch(url, { redirect: "manual" }).catch(() => undefined);
    if (unfollowed?.type === "opaqueredirect") return `${named} redirects to another origin: answer 401 where nobody is signed in`;
    return address.origin === self.origin
      ? `${named} cannot be reached: is your server running?`
      : `${named} is on another origin than this page (${self.origin}): serve it from this page's own, or use configure({ session })`;
  }
  const text = await response.text();
  const given = parsed(text);
  const { status } = response;
  if (!response.ok) return `${named} answers ${String(status)}: ${CAUSES[status] ?? (status > 499 ? "see the log of your server" : EXPECTED_ANSWER)}${detailOf(given)}`;
  if (response.redirected && !given) return `${named} redirects to ${new URL(response.url).pathname}, which is no JSON: answer 401 where nobody is signed in`;
  if (!given) return `${named} answers no JSON but ${response.headers.get("Content-Type") ?? "a text"}: ${EXPECTED_ANSWER}`;
  return given.token ? undefined : `${named} answers no "token"${detailOf(given)}: ${EXPECTED_ANSWER}`;
}

/** Tries the session token at the BFF. */
async function checkToken({ bffOrigin, settings }: Kit): Promise<string | undefined> {
  const { session } = settings;
  try {
    const token = tokenOf(await session?.());
    const headers = { "X-Hitchpost": "1", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(`${settings.base}/v1/config`, { headers });
    if (response.ok) return undefined;
    const detail = detailOf(parsed(await response.text()));
    if (!session && bffOrigin() !== self.origin) return `this page names no session: set data-session-url on the tag, or call configure({ session })${detail}`;
    return `the BFF refuses this session with ${String(response.status)}${detail}`;
  } catch {
    return undefined; // The BFF can no longer be reached.
  }
}

function parsed(text: string): Answer | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The BFF's reason, if the host's server has passed on the BFF's problem document. */
function detailOf(given: unknown): string {
  const detail = textOf((given as Answer | null | undefined)?.detail);
  return detail ? ` (the BFF's reason: ${detail})` : "";
}

/** The token in what the page's session function returned: a string, or an object with it. */
const tokenOf = (given: unknown): string | undefined => (typeof given === "string" ? given : (given as { token?: string } | null | undefined)?.token);

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
