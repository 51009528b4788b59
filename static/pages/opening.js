// Takes the launch token from the page that opened this one, and posts it. Nothing else may hand one in.
const origin = document.body.dataset.origin;
const opener = window.opener;
/** So long (milliseconds) the page that opened this one may take to begin. */
const PATIENCE = 30_000;

function show(id) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
}

function submit(token) {
  const form = document.querySelector("form");
  form.elements.launch_token.value = token;
  form.submit();
}

document.querySelector("[data-close]").addEventListener("click", () => window.close());

if (opener) {
  window.addEventListener("message", function take(event) {
    if (event.origin !== origin || event.source !== opener) return;
    if (event.data?.type !== "hitchpost.launch" || typeof event.data.token !== "string") return;
    window.removeEventListener("message", take);
    submit(event.data.token);
  });
  opener.postMessage({ type: "hitchpost.ready" }, origin);
  // Whoever opened this page has given up, or was reloaded: nobody else will close it.
  setTimeout(show, PATIENCE, "stranded");
} else {
  // Opened by a link, or cut off by the host page's Cross-Origin-Opener-Policy.
  show("stranded");
}
