import { createApp } from "vue/dist/vue.esm-bundler.js";

const app = createApp({
  data: () => ({ generation: 0 }),
  template: `
    <button @click="generation += 1">Re-render</button>
    <hitchpost-connect :key="generation" connector="sandbox"></hitchpost-connect>
    <p role="status"></p>`,
});
app.config.compilerOptions.isCustomElement = (tag) => tag.startsWith("hitchpost-");
app.mount("#root");
