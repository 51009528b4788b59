// Calls to the Studio's own server.
const { base } = document.body.dataset;

/** A problem that the server told: its status, what it said, and of which entries (by path). */
export class Refusal extends Error {
  constructor(status, detail, faults = {}) {
    super(detail);
    this.status = status;
    this.faults = faults;
  }
}

/** GET as JSON. Throws `Refusal`, or `TypeError` without a connection. */
export const ask = (path) => call(path, {});

/** POST as JSON, with the session's token; a token of an earlier sign-in is renewed once. */
export async function send(path, body) {
  const post = () => call(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Hitchpost-Csrf": document.body.dataset.csrf },
    body: JSON.stringify(body),
  });
  try {
    return await post();
  } catch (error) {
    if (error.status !== 403) throw error;
    document.body.dataset.csrf = (await ask("news")).csrf;
    return post();
  }
}

/** The page as the server draws it now. */
export async function drawAgain() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Refusal(response.status, "");
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function call(path, options) {
  const response = await fetch(`${base}/${path}`, { ...options, headers: { Accept: "application/json", ...options.headers } });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer.detail ?? "", answer.faults);
  return answer;
}
