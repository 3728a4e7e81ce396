/** Style sheets are collected by the build (esbuild) and have no value for the code. */
declare module '*.css'
