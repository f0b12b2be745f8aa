package version

import (
	"runtime/debug"
	"testing"
)

func TestBuildIsDescribedByVersionCommitAndChanges(t *testing.T) {
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}
	for want, info := range map[string]*debug.BuildInfo{
		"(unknown)":             nil,
		"(devel)":               build(""),
		"v1.2.3":                build("v1.2.3"),
		"(devel) 0123456789ab":  build("", commit),
		"(devel) 0123456789ab+": build("", commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"}),
	} {
		if have := describe(info); have != want {
			t.Errorf("have %q, want %q", have, want)
		}
	}
}
