// From one source: the script that a page loads by a tag, the files that it fetches later, and the ES module that npm gives.
import path from "node:path";
import TerserPlugin from "terser-webpack-plugin";
import webpack from "webpack";

const widget = path.resolve(import.meta.dirname, "static/widget");

/** A style sheet in a source, from `:host` at its beginning, without its comments and the spaces that only people need. */
const bare = (sheet) => sheet.replace(/\/\*[^]*?\*\//g, "").replace(/(?:\\n|\s)+/g, " ").replace(/ ?([{};,]) ?|(:) /g, "$1$2").replace(/;}/g, "}");

const minimizer = new TerserPlugin({
  extractComments: false,
  // One word for `const` and `let` repeats more often, which saves 30 bytes; the compiler has checked them by then.
  minify: (file, ...more) => {
    const [[name, text]] = Object.entries(file);
    const short = text.replace(/\bconst\b(?=[ [{])/g, "let").replace(/`(?:\\n|\s)*:host[^`]+/g, bare);
    return TerserPlugin.terserMinify({ [name]: short }, ...more);
  },
  parallel: false,
  terserOptions: {
    ecma: 2020,
    module: true,
    compress: { inline: 1, passes: 6, hoist_funs: false, unsafe: true, unsafe_arrows: true, unsafe_methods: true, pure_getters: true },
    // Properties that no other program sees are shortened. The files are built separately, but share objects that have them
    // (kit.ts, hooks.ts): the cache gives each property the same short name in every file.
    nameCache: {},
    // `builtins`: also names that the DOM has elsewhere, such as `request`.
    mangle: { properties: { builtins: true, regex: /^(accounts|act|adoptFlow|attemptPromise|beginAttempt|bffOrigin|bodyOf|box|callBff|choose|cleanUp|confirmed|confirming|connectorStatus|currentAttempt|deleteAttempt|destructive|disconnecting|draw|drawPanel|element|errorOf|failure|findReplacement|fire|flows|folder|hooks|humanize|importModule|importWithRetries|installed|joinFlow|kit|lastDrawn|launch|loadConfig|loadedConnectors|logError|matchesRequest|messageHeard|nextSignal|openAndWatch|openSignIn|owner|parts|prefetch|press|pressReported|queueSignal|readRequest|redraw|refresh|request|resolveState|run|secondary|setStep|settings|several|signInBegun|storeAttempt|subscribers|takeAttempt|testFormAction|textCount|texts|titledByConnector|until|usableUntil|userEpoch|view|wake|windowProxy|word|wordOf)$/ } },
  },
});

const shared = {
  mode: "production",
  target: ["web", "es2022"],
  devtool: false,
  module: { rules: [{ test: /\.ts$/, loader: "esbuild-loader", options: { target: "es2022" } }] },
  resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  optimization: { minimizer: [minimizer] },
  performance: false,
};

export default [
  {
    ...shared,
    name: "script",
    entry: { hitchpost: path.join(widget, "src/index.ts") },
    output: { path: path.join(widget, "dist"), filename: "[name].js", publicPath: "" },
  },
  {
    ...shared,
    name: "module",
    dependencies: ["script"], // One after the other: short names are given in the order of the builds.
    entry: {
      headless: path.join(widget, "src/headless.ts"),
      panel: path.join(widget, "src/panel.ts"),
      connections: path.join(widget, "src/connections.ts"),
      diagnose: path.join(widget, "src/diagnose.ts"),
      resume: path.join(widget, "src/resume.ts"),
      package: path.join(widget, "src/package.ts"),
    },
    // A server has no elements: a framework that draws its pages there imports what the browser will define.
    plugins: [new webpack.DefinePlugin({ HTMLElement: "(globalThis.HTMLElement??class{})" })],
    experiments: { outputModule: true },
    output: { path: path.join(widget, "dist"), filename: "[name].js", publicPath: "", library: { type: "module" } },
  },
];
