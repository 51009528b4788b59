// Reports to the server that the browser came back, and with which error; asks the user where that is not enough to
// know how it went. Then it tells the opener if there is one, and gets out of the way. Nobody else can report this:
// a report that gets no answer is repeated, first by itself and then by the user, and the window stays until it is in.
const { origin, attempt } = document.body.dataset;
/** So long (milliseconds) the server may take to see what the partner service stored. */
const AGAIN = 1000;
/** Pauses (milliseconds) before a report without an answer is repeated. */
const PAUSES = [500, 1000, 2000, 4000, 8000];
/** The longest pause (milliseconds) that the server may ask for: the user waits meanwhile. */
const LONGEST_PAUSE = 10_000;
/** So long (milliseconds) one report may take. */
const TIMEOUT = 10_000;
/** Refusals that a repeated report may escape. The others stand. */
const PASSING = new Set([408, 425, 429]);
/** No error has a longer name: what is longer is none, and told as such all the same. */
const LONGEST = 100;

document.querySelector("[data-close]")?.addEventListener("click", () => window.close());
for (const button of document.querySelectorAll("[data-finished]")) {
  button.addEventListener("click", () => answered(button.dataset.finished));
}

/** The error of the query, or of the fragment, where some put it. */
function error() {
  const [query, fragment] = [location.search, location.hash.replace("#", "?")].map((part) => new URLSearchParams(part));
  return (query.get("error") || fragment.get("error") || "").slice(0, LONGEST);
}

function show(id) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
}

/** What the server answers; undefined without an answer, which is then the user's to ask for again. */
async function report(fields) {
  const body = new URLSearchParams({ error: error(), ...fields });
  for (const pause of [...PAUSES, undefined]) {
    const { answer, wait = 0, refused } = await ask(body);
    if (answer) return answer;
    if (refused || pause === undefined) break;
    await new Promise((resume) => setTimeout(resume, Math.max(pause, wait)));
  }
  return undefined;
}

/** One report: its `answer`, or how long (milliseconds) to `wait` before the next, or that it is `refused` for good. */
async function ask(body) {
  try {
    const response = await fetch(location.pathname, { method: "POST", body, signal: window.AbortSignal.timeout?.(TIMEOUT) });
    if (response.ok) {
      const answer = await response.json();
      return answer?.status ? { answer } : {}; // An answer without a status is a proxy's.
    }
    const wait = Math.min(Number(response.headers.get("Retry-After")) * 1000 || 0, LONGEST_PAUSE);
    return { wait, refused: response.status < 500 && !PASSING.has(response.status) };
  } catch {
    return {};
  }
}

/** Offers to try again what got no answer. */
function offerAgain(again) {
  show("lost");
  document.querySelector("#lost h1").focus();
  document.querySelector("[data-again]").onclick = () => {
    show("finishing");
    void again();
  };
}

function leave(answer) {
  window.opener?.postMessage({ type: "hitchpost.returned", attempt }, origin);
  if (answer.return_url) {
    location.replace(answer.return_url);
    return;
  }
  window.close();
  show("done");
}

async function answered(finished) {
  show("finishing");
  const answer = await report({ finished });
  if (answer) leave(answer);
  else offerAgain(() => answered(finished));
}

async function begin() {
  let answer = await report({});
  if (answer?.status === "launched") {
    await new Promise((resume) => setTimeout(resume, AGAIN));
    answer = await report({});
  }
  if (!answer) {
    offerAgain(begin);
    return;
  }
  if (answer.status !== "launched") {
    leave(answer);
    return;
  }
  show("ask");
  document.querySelector("#ask h1").focus();
}

// A page of what has ended (a form's, loaded again) has nothing to report.
if (document.querySelector("#done").hidden) void begin();
else window.opener?.postMessage({ type: "hitchpost.returned", attempt }, origin);
