package state

import (
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/hash"
)

// pinning is a processor with strings in every kind of state.
type pinning struct {
	Set  Value[string]
	Ref  Value[struct{ Text string }]
	Find Value[struct{ Text string }]
	Log  List[string]
	Map  Map[string, string]
	End  Timer
}

// A record's strings are parts of the frame that it came in.
func TestWhatIsKeptDoesNotKeepTheFrameItCameIn(t *testing.T) {
	var p pinning
	s, err := NewStore[string](groups, graph.Range{To: groups}, noClock)
	if err == nil {
		err = s.Bind(&p)
	}
	if err != nil {
		t.Fatal(err)
	}
	var lent codec.Memory
	s.Borrow(&lent)
	frames := map[string]weak.Pointer[byte]{}
	record := func(key, what string, do func(text string)) {
		frame := append([]byte(key+"text"), make([]byte, 32<<10)...)
		text := unsafe.String(unsafe.SliceData(frame), len(frame))
		frames[what], lent = weak.Make(unsafe.SliceData(frame)), codec.MemoryOf(frame)
		s.SetKey(text[:len(key)], hash.String(key))
		do(text[len(key) : len(key)+4])
	}
	record("a", "a key", func(string) { p.End.Set(time.Unix(1, 0)) })
	record("b", "Value.Set", func(text string) { p.Set.Set(text) })
	record("b", "the same key again", func(text string) { p.Set.Set(text) })
	record("c", "Value.Ref", func(text string) { p.Ref.Ref().Text = text })
	record("d", "nothing yet", func(string) { p.Find.Set(struct{ Text string }{"old"}) })
	record("d", "Value.Find", func(text string) { p.Find.Find().Text = text })
	record("e", "List.Append", func(text string) { p.Log.Append("first"); p.Log.Append(text) })
	record("h", "List.Enter", func(text string) {
		p.Log.Append("texts")
		p.Log.Enter(text, 2, strings.Compare)
	})
	record("f", "Map.Set", func(text string) { p.Map.Set(text, text) })
	record("g", "nothing", func(string) { p.Set.Get() })
	s.SetKey("z", hash.String("z"))
	runtime.GC()
	for what, frame := range frames {
		if frame.Value() != nil {
			t.Errorf("the frame of %s is in use still", what)
		}
	}
	want := func(key, got string) {
		t.Helper()
		if s.at == nil || s.Key() != key || got != "text" {
			t.Errorf("%q holds %q", key, got)
		}
	}
	enter := func(key string) { s.SetKey(key, hash.String(key)) }
	enter("b")
	want("b", p.Set.Get())
	enter("c")
	want("c", p.Ref.Get().Text)
	enter("d")
	want("d", p.Find.Get().Text)
	enter("e")
	for text := range p.Log.All() {
		if text != "first" {
			want("e", text)
		}
	}
	enter("h")
	for text := range p.Log.All() {
		if text != "texts" {
			want("h", text)
		}
	}
	enter("f")
	text, _ := p.Map.Get("text")
	want("f", text)
	if s.Len() != 7 {
		t.Errorf("%d keys", s.Len())
	}
	runtime.KeepAlive(s)
}

func TestStringsThatWereKeptAreCopiedOnce(t *testing.T) {
	lent := codec.Anywhere()
	var p struct{ Name Value[string] }
	s, err := NewStore[int](groups, graph.Range{To: groups}, noClock)
	if err == nil {
		err = s.Bind(&p)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Borrow(&lent)
	s.SetKey(1, hash.Uint64(1))
	p.Name.Set("a name")
	s.SetKey(2, hash.Uint64(2))
	s.SetKey(1, hash.Uint64(1))
	name := unsafe.StringData(p.Name.Get())
	if n := testing.AllocsPerRun(100, func() {
		s.SetKey(1, hash.Uint64(1))
		p.Name.Ref()
		s.SetKey(2, hash.Uint64(2))
	}); n != 0 || name != unsafe.StringData(*p.Name.of(s.address(0))) {
		t.Errorf("%v allocations, or the name is another string", n)
	}
}
