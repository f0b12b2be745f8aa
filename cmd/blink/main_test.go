package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionNamesTheToolchain(t *testing.T) {
	var out, errs strings.Builder
	if status := run([]string{"version"}, &out, &errs); status != exitOK || errs.Len() > 0 {
		t.Fatalf("status %d, stderr %q", status, errs.String())
	}
	if !strings.HasPrefix(out.String(), "blink ") || !strings.Contains(out.String(), runtime.Version()) {
		t.Errorf("printed %q", out.String())
	}
}

func TestDescribeSaysWhatTheBuildRecorded(t *testing.T) {
	vcs := func(revision, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
	}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "(unknown)"},
		{&debug.BuildInfo{}, "(devel)"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}, "v0.1.0"},
		{&debug.BuildInfo{Settings: vcs("0123456789abcdef", "false")}, "(devel) 0123456789ab"},
		{&debug.BuildInfo{Settings: vcs("0123456789abcdef", "true")}, "(devel) 0123456789ab+"},
	} {
		if got := describe(c.info); got != c.want {
			t.Errorf("describe(%+v) = %q, want %q", c.info, got, c.want)
		}
	}
}

func TestAMistakeInTheCommandLineIsNamedWithTheUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "usage: blink"},
		{[]string{"fly"}, `unknown verb "fly"`},
		{[]string{"version", "now"}, `version takes no arguments, got ["now"]`},
	} {
		var out, errs strings.Builder
		if status := run(c.args, &out, &errs); status != exitUsage {
			t.Errorf("%q: status %d, want %d", c.args, status, exitUsage)
		}
		if !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
			t.Errorf("%q: stdout %q, stderr %q, want %q on stderr", c.args, out.String(), errs.String(), c.want)
		}
	}
}

func TestHelpIsNotAMistake(t *testing.T) {
	var out, errs strings.Builder
	if status := run([]string{"-h"}, &out, &errs); status != exitOK || out.String() != usage {
		t.Errorf("status %d, printed %q", status, out.String())
	}
}
