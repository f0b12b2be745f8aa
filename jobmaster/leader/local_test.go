package leader_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"blink/jobmaster/leader"
	"blink/jobmaster/leader/leadertest"
)

func local(t *testing.T, dir string) *leader.Local {
	t.Helper()
	l, err := leader.NewLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Unlock() })
	return l
}

func TestLocalIsAService(t *testing.T) {
	for name, dir := range map[string]func(t *testing.T) string{
		"memory": func(*testing.T) string { return "" },
		"folder": func(t *testing.T) string { return t.TempDir() },
	} {
		t.Run(name, func(t *testing.T) {
			leadertest.Run(t, time.Minute, func(t *testing.T) leader.Service { return local(t, dir(t)) })
		})
	}
}

func TestEpochAndPointerSurviveTheProcess(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	lead := func() (*leader.Local, string, uint64) {
		l := local(t, dir)
		s, err := l.Open(ctx, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		epoch, ok, err := l.Acquire(ctx, "job", s, "me")
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		return l, s, epoch
	}
	l, s, first := lead()
	if err := l.Advance(ctx, "job", s, "", "checkpoint"); err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	l, _, second := lead()
	if p, err := l.Pointer(ctx, "job"); p != "checkpoint" || err != nil || second <= first {
		t.Errorf("pointer %q, %v; epochs %d, %d", p, err, first, second)
	}
}

func TestFolderInUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	local(t, dir)
	if _, err := leader.NewLocal(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}
