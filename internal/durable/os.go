package durable

import (
	"os"
	"path/filepath"
)

// OS is the machine's FS.
func OS() FS { return disk{} }

type disk struct{}

// Open opens for reading.
func (disk) Open(name string) (File, error) { return wrapped(os.Open(local(name))) }

// Create truncates what is there.
func (disk) Create(name string) (File, error) { return wrapped(os.Create(local(name))) }

// Append opens for writing at the end.
func (disk) Append(name string) (File, error) {
	return wrapped(os.OpenFile(local(name), os.O_APPEND|os.O_WRONLY, 0))
}

// Rename replaces the target atomically.
func (disk) Rename(from, to string) error { return os.Rename(local(from), local(to)) }

// Remove removes a file or an empty folder.
func (disk) Remove(name string) error { return os.Remove(local(name)) }

// MkdirAll makes the folder and what is above it.
func (disk) MkdirAll(dir string) error { return os.MkdirAll(local(dir), 0o777) }

// ReadDir lists in ascending order, folders with a trailing slash.
func (disk) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(local(dir))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
		if e.IsDir() {
			names[i] += "/"
		}
	}
	return names, nil
}

// Stat follows links.
func (disk) Stat(name string) (FileInfo, error) {
	info, err := os.Stat(local(name))
	if err != nil {
		return FileInfo{}, err
	}
	return FileInfo{Size: info.Size(), Dir: info.IsDir(), Special: !info.IsDir() && !info.Mode().IsRegular()}, nil
}

// SyncDir makes the names in a folder durable.
func (disk) SyncDir(dir string) error {
	d, err := os.Open(local(dir))
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		d.Close()
		return err
	}
	return d.Close()
}

// local turns the '/' of the FS contract into the machine's separator.
func local(name string) string { return filepath.FromSlash(name) }

// wrapped keeps a nil *os.File from becoming a non-nil File.
func wrapped(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}
