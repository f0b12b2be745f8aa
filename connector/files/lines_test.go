package files

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"blink/operator"
)

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(name)
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readAll reads from a position to the end and returns lines and the position behind each.
func readAll(in Input, s Split) (texts []string, after []Split, err error) {
	l, err := in.openLines(OS(), s)
	if err != nil {
		return nil, nil, err
	}
	defer l.close()
	for {
		line, err := l.next()
		if err == io.EOF {
			return texts, after, nil
		}
		if err != nil {
			return texts, after, err
		}
		texts, after = append(texts, line.Text), append(after, l.at)
	}
}

func only(t *testing.T, in Input) Split {
	t.Helper()
	all, err := in.splits(context.Background(), OS())
	if err != nil || len(all) != 1 {
		t.Fatalf("splits %v, %v", all, err)
	}
	return all[0]
}

func TestLinesAreReadWithAnyEndAndCompression(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"empty":           {"", nil},
		"one":             {"a\n", []string{"a"}},
		"no last newline": {"a\nb", []string{"a", "b"}},
		"crlf":            {"a\r\nb\r\n", []string{"a", "b"}},
		"crlf, no last":   {"a\r\nb\r", []string{"a", "b"}},
		"empty lines":     {"\n\r\n\n", []string{"", "", ""}},
		"cr inside":       {"a\rb\n", []string{"a\rb"}},
		"long":            {"a\n" + long + "\nb\n", []string{"a", long, "b"}},
		"long at the end": {"a\n" + long, []string{"a", long}},
		"a zero byte":     {"a\x00b\n\xff\n", []string{"a\x00b", "\xff"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, in := range []Input{
				Glob(write(t, filepath.Join(dir, "plain"), []byte(c.text))),
				Glob(write(t, filepath.Join(dir, "zipped"), zipped(t, c.text))),
				Embedded("plain", []byte(c.text)),
				Embedded("zipped", zipped(t, c.text)),
			} {
				checkLines(t, in, c.want)
			}
		})
	}
}

// checkLines reads all, and again from behind every line.
func checkLines(t *testing.T, in Input, want []string) {
	t.Helper()
	texts, after, err := readAll(in, only(t, in))
	if err != nil {
		t.Fatal(err)
	}
	same(t, texts, want)
	for i, s := range after {
		if s.Number != int64(i+1) {
			t.Errorf("line %d has number %d", i+1, s.Number)
		}
		rest, _, err := readAll(in, s)
		if err != nil {
			t.Fatal(err)
		}
		same(t, rest, want[i+1:])
	}
}

func TestAPositionBehindTheEndOfGzipDataIsRefused(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "x"), zipped(t, "a\nb\n"))
	s := only(t, Glob(name))
	s.Offset, s.Number = 100, 50
	_, err := Glob(name).openLines(OS(), s)
	if err == nil || !strings.Contains(err.Error(), "the gzip data is damaged behind line 50") {
		t.Errorf("got %v", err)
	}
}

func same(t *testing.T, have, want []string) {
	t.Helper()
	if strings.Join(have, "\n") != strings.Join(want, "\n") || len(have) != len(want) {
		t.Errorf("have %.200q\nwant %.200q", have, want)
	}
}

func TestOverlongLineIsCutAndTheNextIsRead(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "", "\nb"} {
		longest := strings.Repeat("x", maxLine)
		for _, more := range []int{0, 1, 2, 100_000, 3 * maxLine} {
			data := "a\n" + longest + strings.Repeat("x", more) + end
			in := Embedded("big.txt", []byte(data))
			l, err := in.openLines(OS(), only(t, in))
			check(t, err)
			want := []Line{{"big.txt", 1, "a", false}, {"big.txt", 2, longest, false}}
			if more > 0 {
				want[1] = Line{"big.txt", 2, longest[:cutLine], true}
			}
			if end == "\nb" {
				want = append(want, Line{"big.txt", 3, "b", false})
			}
			for _, w := range want {
				if line, err := l.next(); err != nil || line != w {
					t.Errorf("%d too long, end %q: line %d is %.20q…, cut %v, %v", more, end, w.Number, line.Text, line.Cut, err)
				}
			}
			if _, err := l.next(); err != io.EOF || l.at.Offset != int64(len(data)) {
				t.Errorf("%d too long, end %q: it ends at %d of %d: %v", more, end, l.at.Offset, len(data), err)
			}
			if cap(l.long) > 2*maxLine {
				t.Errorf("%d bytes are kept of a line", cap(l.long))
			}
		}
	}
}

func TestAGzipFileMayHaveMembersAndZerosBehindThem(t *testing.T) {
	one, two, zeros := zipped(t, "a\nb"), zipped(t, "c\nd\n"), make([]byte, 100<<10)
	for what, data := range map[string][]byte{
		"members":       slices.Concat(one, two),
		"zeros":         slices.Concat(one, two, zeros),
		"zeros between": slices.Concat(one, zeros, two, zeros[:1]),
	} {
		t.Run(what, func(t *testing.T) { checkLines(t, Embedded("x.gz", data), []string{"a", "bc", "d"}) })
	}
	for _, tail := range []string{"\nnot zipped", "\n", "ab", "\x1f\x8c", "\x1f\x8b\x07 not zipped"} {
		in := Embedded("x.gz", slices.Concat(two, []byte(tail)))
		texts, _, err := readAll(in, only(t, in))
		same(t, texts, []string{"c", "d"})
		wantError(t, err, "read x.gz: behind line 2: the file goes on with something that is no gzip data")
	}
	for _, cut := range []int{1, 2, 9} {
		in := Embedded("x.gz", slices.Concat(two, two[:cut]))
		_, _, err := readAll(in, only(t, in))
		wantError(t, err, "read x.gz: the gzip data is damaged behind line 2")
	}
}

func TestPipesAndDevicesAreRefusedAndNotOpened(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	check(t, syscall.Mkfifo(pipe, 0o666))
	for _, in := range []Input{File(pipe), Glob(pipe), Glob(filepath.Join(dir, "p*")), File("/dev/null")} {
		_, err := in.splits(context.Background(), OS())
		wantError(t, err, "read "+strings.Replace(in.pattern, "p*", "pipe", 1)+": it is a pipe or a device", "name a file")
	}
}

func TestWhatIsAppendedLaterIsNotRead(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "x"), []byte("a\n"))
	s := only(t, Glob(name))
	write(t, name, []byte("a\nb\n"))
	texts, _, err := readAll(Glob(name), s)
	if err != nil {
		t.Fatal(err)
	}
	same(t, texts, []string{"a"})
}

func TestFileThatHasBecomeShorterIsAnError(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "x"), []byte("a\nb\n"))
	s := only(t, Glob(name))
	write(t, name, []byte("a\n"))
	_, _, err := readAll(Glob(name), s)
	wantError(t, err, name, "ends after 2 bytes and had 4")
}

func TestDamagedGzipIsAnErrorWithItsPlace(t *testing.T) {
	whole := zipped(t, strings.Repeat("some text\n", 1000))
	for what, data := range map[string][]byte{
		"cut":     whole[:len(whole)-10],
		"changed": append(whole[:len(whole)-8:len(whole)-8], 1, 2, 3, 4, 5, 6, 7, 8),
		"bent":    append(whole[:10:10], bytes.Repeat([]byte{0xff}, len(whole)-10)...),
	} {
		in := Embedded(what+".gz", data)
		_, _, err := readAll(in, only(t, in))
		wantError(t, err, what+".gz", "gzip data is damaged behind line", "put a whole file in its place")
		if !operator.IsPermanent(err) {
			t.Errorf("%v: it would be tried again", err)
		}
	}
}

func TestPatternMatchesFilesOnlyAndInOrder(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	for _, name := range []string{"b/2.csv", "b/1.csv", "a/3.csv", "a/x.txt", "a/sub.csv/y"} {
		write(t, filepath.Join(dir, name), []byte("x\n"))
	}
	all, err := Glob(dir+"/*/*.csv").splits(context.Background(), OS())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range all {
		names = append(names, strings.TrimPrefix(s.Path, dir+"/"))
	}
	same(t, names, []string{"a/3.csv", "b/1.csv", "b/2.csv"})
}

// shut is a file system with a folder that cannot be listed.
type shut struct {
	operator.FS
	folder string
}

func (s shut) ReadDir(dir string) ([]string, error) {
	if path.Base(dir) == s.folder {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}
	}
	return s.FS.ReadDir(dir)
}

func TestAFolderThatCannotBeListedIsAnError(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	write(t, filepath.Join(dir, "a", "1.csv"), nil)
	write(t, filepath.Join(dir, "b", "2.csv"), nil)
	write(t, filepath.Join(dir, "file"), nil)
	if all, err := Glob(dir+"/*/*.csv").splits(context.Background(), shut{OS(), "c"}); err != nil || len(all) != 2 {
		t.Errorf("found %v, %v", all, err)
	}
	_, err := Glob(dir+"/*/*.csv").splits(context.Background(), shut{OS(), "b"})
	wantError(t, err, "read "+dir+"/*/*.csv", dir+"/b", "permission denied")
}

func TestAFileIsReadByItsNameOnly(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	odd := write(t, filepath.Join(dir, "[a]*.csv"), []byte("x\n"))
	write(t, filepath.Join(dir, "a1.csv"), []byte("y\n"))
	if s := only(t, File(odd)); s.Path != odd {
		t.Errorf("found %s", s.Path)
	}
	for name, want := range map[string]string{dir + "/a*.csv": "no such file", dir: "it is a folder: name a file"} {
		_, err := File(name).splits(context.Background(), OS())
		wantError(t, err, "read "+name+":", want)
	}
}

func TestMissingInputIsNamed(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	for pattern, want := range map[string]string{
		dir + "/none.csv":   "file does not exist",
		dir + "/*.csv":      "no file matches",
		dir + "/no/*/x.csv": "no file matches",
		dir:                 "it is a folder",
		dir + "/[":          "syntax error in pattern",
	} {
		_, err := Glob(pattern).splits(context.Background(), OS())
		wantError(t, err, "read "+pattern+":", want)
	}
}

func TestChecksumTellsAChangeOfTheSameSize(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "x"), []byte("a\nb\n"))
	before := only(t, Glob(name))
	write(t, name, []byte("a\nc\n"))
	if after := only(t, Glob(name)); after.Checksum == before.Checksum || after.Size != before.Size {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("error %v, want one with %q", err, p)
		}
	}
}

func FuzzLinesAreThoseOfSplit(f *testing.F) {
	f.Add([]byte("a\nb\r\n\nc"))
	f.Add([]byte("\r\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, gzipMagic) {
			return
		}
		in := Embedded("fuzz", data)
		texts, after, err := readAll(in, Split{Path: "fuzz", Size: int64(len(data))})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(string(data), "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		for i := range want {
			want[i] = strings.TrimSuffix(want[i], "\r")
		}
		if fmt.Sprintf("%q", texts) != fmt.Sprintf("%q", want) {
			t.Fatalf("have %q, want %q", texts, want)
		}
		if n := len(after); n > 0 && after[n-1].Offset != int64(len(data)) {
			t.Fatalf("ends at %d of %d", after[n-1].Offset, len(data))
		}
	})
}
