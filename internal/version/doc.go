// Package version says which build a binary is: the module's version, or the commit that a
// checkout was built from, with the toolchain and the platform. Every binary's version verb
// prints it. Start reading at Text.
package version
