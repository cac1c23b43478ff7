// What esbuild is told besides what build.mjs tells it: a plugin, say.
export default {};
