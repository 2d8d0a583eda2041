import assert from "node:assert/strict";
import { requireSelection } from "../../../src/apps/webhooks/event_pattern.ts";

const NONE = { filters: [], queue_longer_than: null };

Deno.test("requireSelection() rejects domains that hold up pages or take their dialogs and devices over", () => {
  for (
    const event of [
      "Fetch.requestPaused",
      "Debugger.paused",
      "DeviceAccess.deviceRequestPrompted",
      "FedCm.dialogShown",
      "SmartCardEmulation.connectRequested",
      "WebAuthn.credentialAdded",
    ]
  ) {
    for (
      const list of [`cdp:${event}`, `cdp:Page.loadEventFired,cdp:${event}`]
    ) {
      assert.throws(
        () => requireSelection({ event_pattern: list, ...NONE }, {}),
        { code: "webhook_events_rejected", message: new RegExp(event) },
      );
    }
  }
  const event_pattern = "cdp:Page.loadEventFired,cdp:Network.responseReceived";
  requireSelection({ event_pattern, ...NONE }, {});
});
