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
  // No request to another host: the validator's badge is off.
  validatorUrl: null,
});
