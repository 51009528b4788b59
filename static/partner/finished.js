// Posts the callback message to exactly the target origin: a window that has moved elsewhere hears nothing.
const { target, message, form, window: choice, closes } = document.currentScript.dataset;
const framed = window.parent === window ? null : window.parent;
const windows = { opener: window.opener, parent: framed, "opener-or-parent": window.opener ?? framed };
/** So long (milliseconds) whoever opened this window has for closing it. */
const GRACE = 3000;

windows[choice]?.postMessage(form === "object" ? { message } : message, target);
// A window that some page isolated has nobody left to post to, and nobody but itself to close it: the page that
// opened it learns of the end as soon as its user is back there. One whose opener was reloaded waits in vain.
if (closes !== undefined || !(window.opener || framed)) window.close();
else setTimeout(() => window.close(), GRACE);
