// Tells the opener, if there is one, that there is news to read at the server.
const { origin, code } = document.body.dataset;

document.querySelector("[data-close]").addEventListener("click", () => window.close());
if (window.opener && origin) window.opener.postMessage({ type: "hitchpost.trouble", code }, origin);
