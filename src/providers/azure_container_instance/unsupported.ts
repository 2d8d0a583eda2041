import type { BrowserWish } from "../../core/provider.ts";
import { findUnsupportedProxy } from "../kit/image/unsupported_proxy.ts";
import { findUnsupportedLocalProxy } from "../kit/unsupported_local_proxy.ts";
import type { AzureConfig } from "./config.ts";

/**
 * Returns why no container group can meet a wish, as the end of a sentence; undefined if one can.
 *
 * Azure gives containers no right to filter their traffic, so that only the subnet can limit it.
 */
export function findUnsupportedWish(
  { proxy, egress }: BrowserWish,
  { unit }: Pick<AzureConfig, "unit">,
): string | undefined {
  if (unit === "worker") return findUnsupportedLocalProxy(proxy);
  if (egress !== "open") {
    return `it cannot limit egress to "${egress}" in a container group, expected egress open, with limits in the network security group of the subnet`;
  }
  return findUnsupportedProxy(proxy, egress);
}
