/** The route, and other paths of the same: those of Chrome, and a slash at the end, with which Playwright asks. */
export function createRouteVariants<R extends { readonly path: string }>(
  route: R,
  ...others: readonly string[]
): readonly R[] {
  const paths = [route.path, ...others].flatMap((path) => [path, `${path}/`]);
  return paths.map((path) => ({ ...route, path, hide: path !== route.path }));
}
