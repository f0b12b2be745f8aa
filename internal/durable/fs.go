package durable

// FS is a file system: the machine's, or a simulated one.
// Paths use '/'. Errors wrap fs.ErrNotExist and fs.ErrExist as package os does. Safe for
// concurrent use. All methods may block: they are called off the actor only.
type FS interface {
	Open(name string) (File, error)
	// Create truncates.
	Create(name string) (File, error)
	// Append opens for writing behind what is there. It makes no file.
	Append(name string) (File, error)
	// Rename replaces the target atomically. Durable after SyncDir of the folder.
	Rename(from, to string) error
	Remove(name string) error
	MkdirAll(dir string) error
	// ReadDir lists names in ascending order, folders with a trailing slash.
	ReadDir(dir string) ([]string, error)
	Stat(name string) (FileInfo, error)
	SyncDir(dir string) error
}

// FileInfo is what Stat tells.
type FileInfo struct {
	Size    int64
	Dir     bool
	Special bool // neither a folder nor a file of bytes: a pipe, a device
}

// File is an open file. Not safe for concurrent use.
type File interface {
	Read(p []byte) (int, error)
	ReadAt(p []byte, off int64) (int, error)
	Write(p []byte) (int, error)
	// Sync makes what was written durable.
	Sync() error
	Close() error
}
