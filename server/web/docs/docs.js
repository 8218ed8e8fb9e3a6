// The address that this page was loaded from, behind whatever prefix.
const base = new URL("..", document.baseURI).href.replace(/\/$/, "");
for (const code of document.querySelectorAll("pre code")) {
  code.textContent = code.textContent.replaceAll("BASE", base);
}

globalThis.SwaggerUIBundle({
  url: "../openapi.json",
  domNode: document.getElementById("reference"),
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  // A third party would be sent the document.
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
});
