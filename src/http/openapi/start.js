// Runs in the page at /docs. SwaggerUIBundle comes from the script before it.
globalThis.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // Nothing is asked of another host: no badge of a validator.
  validatorUrl: null,
});
