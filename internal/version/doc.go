// Package version says which build a binary is. Start reading at Text.
package version
