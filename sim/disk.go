package sim

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"blink/operator"
	"blink/sim/world"
)

// disk is the simulated file system that all processes of a world share. What a process
// has written and not synced is torn when it crashes, and so are the names it made, renamed
// or removed in folders that were not synced.
type disk struct {
	base    operator.FS       // what is not here is read there; nil: nowhere
	outputs []string          // paths that are never looked for in base
	inputs  map[string]*inode // copies of base
	chance  *world.Rand
	files   map[string]*inode
	dirs    map[string]bool
	names   []change // not yet durable, in the order in which they were made
}

type inode struct {
	data   []byte
	synced int    // bytes that survive a crash of owner
	owner  string // process that wrote last
}

// change is one change of a name.
type change struct {
	dir, owner string
	undo       func()
}

func newDisk(c *world.Rand) *disk {
	return &disk{chance: c, files: map[string]*inode{}, dirs: map[string]bool{".": true, "/": true}, inputs: map[string]*inode{}}
}

// crash loses what process owner had not synced: of each file a tail, of its changes of
// names the last few.
func (d *disk) crash(owner string) {
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if f := d.files[name]; f.owner == owner && len(f.data) > f.synced {
			f.data = f.data[:f.synced+d.chance.N(len(f.data)-f.synced+1)]
			f.synced = len(f.data)
		}
	}
	var own, rest []change
	for _, c := range d.names {
		if c.owner == owner {
			own = append(own, c)
		} else {
			rest = append(rest, c)
		}
	}
	keep := d.chance.N(len(own) + 1)
	for _, c := range slices.Backward(own[keep:]) {
		c.undo()
	}
	d.names = rest
}

// set gives name to f (nil: nobody) and notes how to take it back.
func (d *disk) set(owner, name string, f *inode) change {
	old := d.files[name]
	d.put(name, f)
	return change{path.Dir(name), owner, func() {
		if d.files[name] == f {
			d.put(name, old)
		}
	}}
}

func (d *disk) put(name string, f *inode) {
	if f == nil {
		delete(d.files, name)
		return
	}
	d.files[name] = f
}

// find returns a file of the disk, or a copy of one of base.
func (d *disk) find(name string) *inode {
	if n := d.files[name]; n != nil || d.base == nil || d.written(name) {
		return n
	}
	if n := d.inputs[name]; n != nil {
		return n
	}
	f, err := d.base.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil
	}
	n := &inode{data: data, synced: len(data)}
	d.inputs[name] = n
	return n
}

// baseDir says whether base has a folder of that name.
func (d *disk) baseDir(name string) bool {
	if d.base == nil || d.written(name) {
		return false
	}
	i, err := d.base.Stat(name)
	return err == nil && i.Dir
}

// written says whether a path is where the job writes.
func (d *disk) written(name string) bool {
	return slices.ContainsFunc(d.outputs, func(o string) bool {
		return name == o || strings.HasPrefix(name, o+"/") || strings.HasPrefix(name, path.Join(path.Dir(o), "."+path.Base(o)))
	})
}

// diskClient is the disk as one process sees it.
type diskClient struct {
	d     *disk
	owner string
	call  call
}

func notExist(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

func (c diskClient) Open(name string) (f operator.File, err error) {
	name = path.Clean(name)
	err = c.call("disk.open", func() error {
		n := c.d.find(name)
		if n == nil {
			return notExist("open", name)
		}
		f = &file{c: c, n: n}
		return nil
	})
	return f, err
}

func (c diskClient) Create(name string) (f operator.File, err error) {
	name = path.Clean(name)
	err = c.call("disk.create", func() error {
		if !c.d.dirs[path.Dir(name)] {
			return notExist("create", name)
		}
		n := &inode{owner: c.owner}
		c.d.names = append(c.d.names, c.d.set(c.owner, name, n))
		f = &file{c: c, n: n}
		return nil
	})
	return f, err
}

func (c diskClient) Append(name string) (f operator.File, err error) {
	name = path.Clean(name)
	err = c.call("disk.append", func() error {
		n := c.d.files[name]
		if n == nil {
			return notExist("append", name)
		}
		f = &file{c: c, n: n}
		return nil
	})
	return f, err
}

func (c diskClient) Rename(from, to string) error {
	from, to = path.Clean(from), path.Clean(to)
	return c.call("disk.rename", func() error {
		n := c.d.files[from]
		if n == nil {
			return notExist("rename", from)
		}
		a, b := c.d.set(c.owner, to, n), c.d.set(c.owner, from, nil)
		c.d.names = append(c.d.names, change{a.dir, c.owner, func() { b.undo(); a.undo() }})
		return nil
	})
}

func (c diskClient) Remove(name string) error {
	name = path.Clean(name)
	return c.call("disk.remove", func() error {
		if c.d.files[name] == nil {
			return notExist("remove", name)
		}
		c.d.names = append(c.d.names, c.d.set(c.owner, name, nil))
		return nil
	})
}

func (c diskClient) MkdirAll(dir string) error {
	return c.call("disk.mkdir", func() error {
		for d := path.Clean(dir); !c.d.dirs[d]; d = path.Dir(d) {
			if c.d.files[d] != nil {
				return fmt.Errorf("mkdir %s: %w: it is a file", d, fs.ErrExist)
			}
			c.d.dirs[d] = true
		}
		return nil
	})
}

func (c diskClient) ReadDir(dir string) (names []string, err error) {
	dir = path.Clean(dir)
	err = c.call("disk.readdir", func() error {
		there := c.d.dirs[dir]
		if c.d.base != nil && !c.d.written(dir) {
			if base, err := c.d.base.ReadDir(dir); err == nil {
				names, there = base, true
			}
		}
		if !there {
			return notExist("readdir", dir)
		}
		for name := range c.d.files {
			if path.Dir(name) == dir {
				names = append(names, path.Base(name))
			}
		}
		for d := range c.d.dirs {
			if d != dir && path.Dir(d) == dir {
				names = append(names, path.Base(d)+"/")
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		return nil
	})
	return names, err
}

func (c diskClient) Stat(name string) (i operator.FileInfo, err error) {
	name = path.Clean(name)
	err = c.call("disk.stat", func() error {
		if c.d.dirs[name] || c.d.baseDir(name) {
			i.Dir = true
			return nil
		}
		n := c.d.find(name)
		if n == nil {
			return notExist("stat", name)
		}
		i.Size = int64(len(n.data))
		return nil
	})
	return i, err
}

func (c diskClient) SyncDir(dir string) error {
	dir = path.Clean(dir)
	return c.call("disk.syncdir", func() error {
		c.d.names = slices.DeleteFunc(c.d.names, func(x change) bool { return x.dir == dir })
		return nil
	})
}

// file is an open file of one process.
type file struct {
	c   diskClient
	n   *inode
	off int
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, int64(f.off))
	f.off += n
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt reports io.EOF when it could not fill p.
func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.c.call("disk.read", func() error {
		if off < int64(len(f.n.data)) {
			n = copy(p, f.n.data[off:])
		}
		return nil
	})
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (f *file) Write(p []byte) (n int, err error) {
	err = f.c.call("disk.write", func() error {
		f.n.data = append(f.n.data, p...)
		f.n.owner = f.c.owner
		n = len(p)
		return nil
	})
	return n, err
}

func (f *file) Sync() error {
	return f.c.call("disk.sync", func() error { f.n.synced = len(f.n.data); return nil })
}

func (f *file) Close() error { return nil }

// visible returns the contents of all files outside of sinks' own folders, by name, for
// checkers.
func (d *disk) visible() map[string]string {
	all := map[string]string{}
	for name, n := range d.files { // into a map: any order will do
		if !strings.HasSuffix(path.Dir(name), ".parts") {
			all[name] = string(n.data)
		}
	}
	return all
}
