import { createRowRenderer } from "../../http/wire_form.ts";
import type { handovers } from "./models.ts";
import { handoverSchema, type HandoverWire } from "./schemas.ts";

/** A request as it is stored, without the token of its link. */
export type Handover = Readonly<
  Omit<typeof handovers.$inferSelect, "linkToken">
>;

const renderColumns = createRowRenderer(handoverSchema.omit({ until: true }));

/** Returns the address of the live view for a link. The token is in the fragment, which no server receives. */
export function renderLiveUrl(baseUrl: string, token: string): string {
  return `${baseUrl}/live#${token}`;
}

/** Renders a request for responses. */
export function renderHandover(handover: Handover): HandoverWire {
  const { untilUrl, untilSelector } = handover;
  const hasCondition = untilUrl !== null || untilSelector !== null;
  return {
    ...renderColumns(handover),
    until: hasCondition ? { url: untilUrl, selector: untilSelector } : null,
  };
}
