package leader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"blink/internal/durable"
)

// Local is the Service of one process: whoever runs in it is alive, so sessions end only
// when they are closed. With a folder, epochs and pointers survive the process; the folder
// is locked against another one.
type Local struct {
	mu       sync.Mutex
	sessions map[string]bool // guarded by mu, like all below
	opened   int
	holders  map[string]string // key → session
	stored   map[string]localKey
	dir      string
	lock     *os.File
}

// localKey is what is stored of a key.
type localKey struct {
	Value   string `json:"value"`
	Epoch   uint64 `json:"epoch"`
	Pointer string `json:"pointer"`
}

// NewLocal returns a Local whose state lives in dir, which is made if it is not there; in
// memory only if dir is "". It is an error, naming the process if it is known, when another
// process uses dir.
func NewLocal(dir string) (*Local, error) {
	l := &Local{sessions: map[string]bool{}, holders: map[string]string{}, stored: map[string]localKey{}, dir: dir}
	if dir == "" {
		return l, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("state dir: %w", err)
	}
	if err := l.takeLock(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(l.file())
	if err == nil {
		err = json.Unmarshal(data, &l.stored)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("state dir: %s, which names the newest checkpoint, cannot be read: %w: begin anew with an empty state dir", l.file(), err), l.Unlock())
	}
	return l, nil
}

func (l *Local) file() string { return filepath.Join(l.dir, "pointer") }

// takeLock locks the folder for this process, and writes its id there for the next one that
// comes.
func (l *Local) takeLock() error {
	name := filepath.Join(l.dir, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("state dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner := ""
		if pid, readErr := os.ReadFile(name); readErr == nil && len(pid) > 0 {
			owner = ", process " + strings.TrimSpace(string(pid))
		}
		return errors.Join(fmt.Errorf("state dir %s is in use by another run%s: wait for it, or name another folder", l.dir, owner), f.Close())
	}
	l.lock = f
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("state dir: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return fmt.Errorf("state dir: %w", err)
	}
	return nil
}

// Unlock gives the folder back. The Local must not be used afterwards.
func (l *Local) Unlock() error {
	if l.lock == nil {
		return nil
	}
	return l.lock.Close()
}

// save makes the stored keys durable.
func (l *Local) save() error {
	if l.dir == "" {
		return nil
	}
	data, err := json.MarshalIndent(l.stored, "", "  ")
	if err != nil {
		return err
	}
	name := filepath.ToSlash(l.file())
	if err := durable.Replace(durable.OS(), name, name+".tmp", data); err != nil {
		return fmt.Errorf("state dir: %w", err)
	}
	return nil
}

// Open implements Service.
func (l *Local) Open(context.Context, time.Duration) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
	s := "local-" + strconv.Itoa(l.opened)
	l.sessions[s] = true
	return s, nil
}

// Renew implements Service.
func (l *Local) Renew(_ context.Context, session string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.alive(session)
}

func (l *Local) alive(session string) error {
	if !l.sessions[session] {
		return ErrSession
	}
	return nil
}

// Close implements Service.
func (l *Local) Close(_ context.Context, session string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, session)
	// Any order will do: each key is given back for itself.
	for key, s := range l.holders {
		if s == session {
			delete(l.holders, key)
		}
	}
	return nil
}

// Acquire implements Service.
func (l *Local) Acquire(_ context.Context, key, session, value string) (uint64, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.alive(session); err != nil {
		return 0, false, err
	}
	switch l.holders[key] {
	case session:
		return l.stored[key].Epoch, true, nil
	case "":
	default:
		return 0, false, nil
	}
	old := l.stored[key]
	l.stored[key] = localKey{Value: value, Epoch: old.Epoch + 1, Pointer: old.Pointer}
	if err := l.save(); err != nil {
		l.stored[key] = old
		return 0, false, err
	}
	l.holders[key] = session
	return old.Epoch + 1, true, nil
}

// Get implements Service.
func (l *Local) Get(_ context.Context, key string) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.stored[key]
	return Entry{Session: l.holders[key], Value: k.Value, Epoch: k.Epoch}, nil
}

// Advance implements Service.
func (l *Local) Advance(_ context.Context, key, session, was, value string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.stored[key]
	if session == "" || l.holders[key] != session || old.Pointer != was && old.Pointer != value {
		return ErrFenced
	}
	l.stored[key] = localKey{old.Value, old.Epoch, value}
	if err := l.save(); err != nil {
		l.stored[key] = old
		return err
	}
	return nil
}

// Pointer implements Service.
func (l *Local) Pointer(_ context.Context, key string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stored[key].Pointer, nil
}
