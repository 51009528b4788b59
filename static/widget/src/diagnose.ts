// Why a page does not get through to the BFF, for the people who build it: one line in its console for each mistake.
// Fetched only when something has gone wrong.
import type { Kit } from "./kit.js";

/** What an answer may hold. */
interface Said {
  token?: unknown;
  /** Of a problem document (RFC 9457). */
  detail?: unknown;
  advice?: unknown;
}

const PASS_ON = 'answer {"token", "expires_in"} there: pass on what POST /v1/sessions tells';

/** What each status of the host's own URL is likely to mean. */
const MEANINGS: Record<number, string> = {
  401: "your server says that nobody is signed in, or the BFF refuses its secret key",
  403: "your server lets nobody in there",
  404: "there is no such route on your server",
  405: "it takes no GET",
  429: "it is asked too often: let your server keep a token until it ends",
};

/** Looks for what is wrong, and tells the console. */
export async function install(kit: Kit): Promise<void> {
  const { complain } = kit;
  const advice = await ofPage(kit);
  if (advice) complain(advice);
  const fault = await ofSession(kit, !advice);
  if (fault) complain(fault);
}

/** Whether there is such a product, and whether this page's origin is one of its own: any page may read that. */
async function ofPage({ settings }: Kit): Promise<string | undefined> {
  const query = new URLSearchParams({ product: settings.product, origin: self.origin });
  try {
    const response = await fetch(`${settings.base}/v1/advice?${query.toString()}`);
    const { advice } = (await response.json()) as Said;
    return textOf(advice);
  } catch {
    return `${settings.base} does not answer this page: is the BFF running there, over https if this page is, and may this page's CSP (connect-src) call it?`;
  }
}

/** What is wrong with the session; `callable`: the BFF may be asked about its token, since it answers to this page. */
async function ofSession(kit: Kit, callable: boolean): Promise<string | undefined> {
  const { session } = kit.settings;
  if (!session) return callable ? ofToken(kit) : undefined;
  const url = document.querySelector<HTMLScriptElement>("script[data-session-url]")?.dataset.sessionUrl;
  if (url !== undefined) return (await ofUrl(url)) ?? (callable ? ofToken(kit) : undefined);
  try {
    const given: unknown = await session();
    const token = typeof given === "string" ? given : (given as Said | null | undefined)?.token;
    if (!token) return `the session function of configure gives no token${passedOn(given)}: return the token, or {token, expires_in}`;
  } catch (error) {
    // How response.json() says that it was given a page.
    const meaning = error instanceof SyntaxError ? " (its URL answers a page instead of JSON: is it a route of your server, does your development server pass it on, and is 401 the answer where nobody is signed in?)" : "";
    return `the session function of configure throws: ${String(error)}${meaning}`;
  }
  return callable ? ofToken(kit) : undefined;
}

/** The host's own URL: missing, no JSON, without a token, on another origin. */
async function ofUrl(url: string): Promise<string | undefined> {
  const address = new URL(url, document.baseURI);
  const named = `data-session-url ${address.origin}${address.pathname}`;
  let response: Response;
  try {
    response = await fetch(url, { cache: "no-store" });
  } catch {
    return address.origin === self.origin
      ? `${named} cannot be reached: is your server running?`
      : `${named} is on another origin than this page (${self.origin}): serve it from this page's own, or use configure({ session })`;
  }
  const text = await response.text();
  const given = parsed(text);
  const { status } = response;
  if (!response.ok) return `${named} answers ${String(status)}: ${MEANINGS[status] ?? (status > 499 ? "see the log of your server" : PASS_ON)}${passedOn(given)}`;
  if (response.redirected && !given) return `${named} redirects to ${new URL(response.url).pathname}, which is no JSON: answer 401 where nobody is signed in`;
  if (!given) return `${named} answers no JSON but ${response.headers.get("Content-Type") ?? "a text"}: ${PASS_ON}`;
  return given.token ? undefined : `${named} answers no "token"${passedOn(given)}: ${PASS_ON}`;
}

/** Why the BFF refuses the session that it is shown. */
async function ofToken({ bffOrigin, settings }: Kit): Promise<string | undefined> {
  const { session } = settings;
  try {
    const given = await session?.();
    const token = typeof given === "string" ? given : given?.token;
    const headers = { "X-Hitchpost": "1", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(`${settings.base}/v1/config`, { headers });
    if (response.ok) return undefined;
    const detail = passedOn(parsed(await response.text()));
    if (!session && bffOrigin() !== self.origin) return `this page names no session: set data-session-url on the tag, or call configure({ session })${detail}`;
    return `the BFF refuses this session with ${String(response.status)}${detail}`;
  } catch {
    return undefined; // Gone again: there is nothing to say.
  }
}

function parsed(text: string): Said | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The BFF's own reason, where a host passes on its answer. */
function passedOn(given: unknown): string {
  const detail = textOf((given as Said | null | undefined)?.detail);
  return detail ? ` (it passes on: ${detail})` : "";
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
