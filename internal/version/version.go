package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Text is one line: the module's version, the commit where the build knows it, and the
// toolchain and platform.
func Text() string {
	info, _ := debug.ReadBuildInfo() // nil in a binary built without modules: describe says so
	return fmt.Sprintf("%s %s %s/%s", describe(info), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// describe is the version of a build: "(devel)" for one from a checkout, with the commit,
// and a "+" when the checkout had changes, if the build recorded it.
func describe(info *debug.BuildInfo) string {
	if info == nil {
		return "(unknown)"
	}
	text := info.Main.Version
	if text == "" {
		text = "(devel)"
	}
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	if commit := set["vcs.revision"]; commit != "" {
		text += " " + commit[:min(12, len(commit))]
	}
	if set["vcs.modified"] == "true" {
		text += "+"
	}
	return text
}
