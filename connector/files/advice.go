package files

import (
	"errors"
	"io/fs"
	"syscall"
)

// advice says what to do about an error of the file system, where that is known.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ": make room on the disk and run again"
	case errors.Is(err, syscall.EFBIG):
		return ": raise the limit on the size of a file (ulimit -f) and run again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return ": make it writable, or name another folder"
	}
	return ""
}
