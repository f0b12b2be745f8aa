package codec

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// evolving is a random type, what it becomes, and how a value does, without the codec.
type evolving struct {
	old, now reflect.Type
	convert  func(reflect.Value) reflect.Value
}

// chance makes them; broken counts the changes in them that no value can follow.
type chance struct {
	*rand.Rand
	breaks bool
	broken int
}

var leaves = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[uint16](), reflect.TypeFor[float32](),
	reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[[]byte](),
}

var wideners = [][2]reflect.Type{
	{reflect.TypeFor[int8](), reflect.TypeFor[int16]()}, {reflect.TypeFor[int8](), reflect.TypeFor[int]()}, {reflect.TypeFor[int16](), reflect.TypeFor[float32]()},
	{reflect.TypeFor[int32](), reflect.TypeFor[int64]()}, {reflect.TypeFor[int32](), reflect.TypeFor[float64]()}, {reflect.TypeFor[uint8](), reflect.TypeFor[uint32]()},
	{reflect.TypeFor[uint8](), reflect.TypeFor[int16]()}, {reflect.TypeFor[uint32](), reflect.TypeFor[int64]()}, {reflect.TypeFor[uint32](), reflect.TypeFor[uint64]()},
	{reflect.TypeFor[uint16](), reflect.TypeFor[float32]()}, {reflect.TypeFor[uint32](), reflect.TypeFor[float64]()}, {reflect.TypeFor[float32](), reflect.TypeFor[float64]()},
}

var keys = []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[int16](), reflect.TypeFor[[2]uint8](), reflect.TypeFor[struct{ A, B string }]()}

func anyOf[T any](c *chance, of []T) T { return of[c.IntN(len(of))] }

func (c *chance) evolve(depth int) evolving {
	if depth == 0 {
		return c.leaf()
	}
	switch c.IntN(8) {
	case 0:
		return c.leaf()
	case 1:
		x := c.evolve(depth - 1)
		return evolving{reflect.SliceOf(x.old), reflect.SliceOf(x.now), func(v reflect.Value) reflect.Value { return each(x, v, reflect.SliceOf(x.now)) }}
	case 2:
		x, n := c.evolve(depth-1), anyOf(c, []int{1, 3, 17})
		return evolving{reflect.ArrayOf(n, x.old), reflect.ArrayOf(n, x.now), func(v reflect.Value) reflect.Value { return each(x, v, reflect.ArrayOf(n, x.now)) }}
	case 3:
		return c.dict(depth)
	case 4:
		return c.pointer(depth)
	}
	return c.record(depth)
}

// each converts the elements of a slice or an array.
func each(x evolving, v reflect.Value, t reflect.Type) reflect.Value {
	to := reflect.New(t).Elem()
	if t.Kind() == reflect.Slice {
		if v.IsNil() {
			return to
		}
		to.Set(reflect.MakeSlice(t, v.Len(), v.Len()))
	}
	for i := range v.Len() {
		to.Index(i).Set(x.convert(v.Index(i)))
	}
	return to
}

func (c *chance) leaf() evolving {
	if w := anyOf(c, wideners); c.IntN(3) == 0 {
		if c.breaks && c.IntN(20) == 0 {
			c.broken++
			w[0], w[1] = w[1], w[0]
		}
		return evolving{w[0], w[1], func(v reflect.Value) reflect.Value { return v.Convert(w[1]) }}
	}
	t := anyOf(c, leaves)
	return evolving{t, t, func(v reflect.Value) reflect.Value { return v }}
}

func (c *chance) dict(depth int) evolving {
	x, key := c.evolve(depth-1), anyOf(c, keys)
	old, now := reflect.MapOf(key, x.old), reflect.MapOf(key, x.now)
	if c.breaks && c.IntN(20) == 0 {
		c.broken++
		now = reflect.MapOf(reflect.TypeFor[uint32](), x.now)
	}
	return evolving{old, now, func(v reflect.Value) reflect.Value {
		if v.IsNil() {
			return reflect.Zero(now)
		}
		to := reflect.MakeMap(now)
		for it := v.MapRange(); it.Next(); {
			to.SetMapIndex(it.Key(), x.convert(it.Value()))
		}
		return to
	}}
}

func (c *chance) pointer(depth int) evolving {
	x := c.evolve(depth - 1)
	behind := func(v reflect.Value) reflect.Value {
		p := reflect.New(x.now)
		p.Elem().Set(x.convert(v))
		return p
	}
	switch n := c.IntN(3); {
	case n == 0 && x.old.Kind() != reflect.Pointer && x.now.Kind() != reflect.Pointer:
		return evolving{x.old, reflect.PointerTo(x.now), behind}
	case n == 1 && x.old.Kind() != reflect.Pointer && x.now.Kind() != reflect.Pointer:
		return evolving{reflect.PointerTo(x.old), x.now, func(v reflect.Value) reflect.Value {
			if v.IsNil() {
				return reflect.Zero(x.now)
			}
			return x.convert(v.Elem())
		}}
	}
	return evolving{reflect.PointerTo(x.old), reflect.PointerTo(x.now), func(v reflect.Value) reflect.Value {
		if v.IsNil() {
			return reflect.Zero(reflect.PointerTo(x.now))
		}
		return behind(v.Elem())
	}}
}

// record keeps, renames, drops and adds fields, and shuffles them.
func (c *chance) record(depth int) evolving {
	var old, now []reflect.StructField
	from := map[string]string{} // new name to old one
	field := map[string]evolving{}
	for i := range c.IntN(5) {
		name := fmt.Sprint("F", i)
		kind, of := c.IntN(6), c
		if kind < 2 { // nothing breaks in what is dropped or new
			of = &chance{Rand: c.Rand}
		}
		x := of.evolve(depth - 1)
		f := reflect.StructField{Name: name, Type: x.now}
		switch kind {
		case 0:
			old = append(old, reflect.StructField{Name: name, Type: x.old})
			continue
		case 1:
			now = append(now, f)
			continue
		case 2: // renamed
			f.Name = fmt.Sprint("G", i)
			f.Tag = reflect.StructTag(fmt.Sprintf(`blink:",was=X%d,was=F%d"`, i, i))
		case 3: // left out
			now = append(now, reflect.StructField{Name: fmt.Sprint("L", i), Type: x.now, Tag: `blink:"-"`})
		}
		now = append(now, f)
		old = append(old, reflect.StructField{Name: name, Type: x.old})
		from[f.Name], field[f.Name] = name, x
	}
	c.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
	t := reflect.StructOf(now)
	return evolving{reflect.StructOf(old), t, func(v reflect.Value) reflect.Value {
		to := reflect.New(t).Elem()
		for _, f := range now {
			if was, kept := from[f.Name]; kept {
				to.FieldByName(f.Name).Set(field[f.Name].convert(v.FieldByName(was)))
			}
		}
		return to
	}}
}

// fill sets v to a random value.
func (c *chance) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(c.IntN(2) == 0)
	case reflect.String:
		v.SetString([]string{"", "a", "two", "größer"}[c.IntN(4)])
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(c.NormFloat64())))
	case reflect.Slice:
		if n := c.IntN(4); n < 3 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			c.fill(v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			c.fill(v.Index(i))
		}
	case reflect.Pointer:
		if c.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			c.fill(v.Elem())
		}
	case reflect.Map:
		c.fillMap(v)
	case reflect.Struct:
		if v.Type() == timeType {
			v.Set(reflect.ValueOf([]time.Time{{}, time.Unix(0, c.Int64()).UTC()}[c.IntN(2)]))
			return
		}
		for i := range v.NumField() {
			c.fill(v.Field(i))
		}
	default:
		bits := c.Uint64()
		if v.CanInt() {
			v.SetInt(int64(bits) >> (64 - v.Type().Bits()))
			return
		}
		v.SetUint(bits >> (64 - v.Type().Bits()))
	}
}

func (c *chance) fillMap(v reflect.Value) {
	n := c.IntN(4)
	if n == 3 {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range n {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		c.fill(key)
		c.fill(value)
		v.SetMapIndex(key, value)
	}
}

func TestRandomTypesEvolveAsReflectionSays(t *testing.T) {
	for seed := range uint64(3000) {
		c := &chance{Rand: rand.New(rand.NewPCG(seed, 1))}
		x := c.evolve(1 + c.IntN(4))
		if err := evolves(c, x); err != nil {
			t.Fatalf("seed %d, %v to %v: %v", seed, x.old, x.now, err)
		}
	}
}

func evolves(c *chance, x evolving) error {
	if changes, err := Compare(schemaOf(x.old), schemaOf(x.now)); err != nil || len(changes) > 0 {
		return fmt.Errorf("%+v, %v", changes, err)
	}
	n := c.IntN(4)
	was, want := reflect.MakeSlice(reflect.SliceOf(x.old), n, n), reflect.MakeSlice(reflect.SliceOf(x.now), n, n)
	for i := range n {
		c.fill(was.Index(i))
		want.Index(i).Set(x.convert(was.Index(i)))
	}
	data, err := (&compiler{}).plan(x.old).append(nil, was.UnsafePointer(), n)
	if err != nil {
		return err
	}
	codec := Codec[struct{}]{p: (&compiler{}).plan(x.now)}
	reader, err := codec.Reads(schemaOf(x.old))
	if err != nil {
		return err
	}
	_, rest, err := count(data, reader.from.width, 1)
	if err != nil {
		return err
	}
	got := reflect.MakeSlice(reflect.SliceOf(x.now), n, n)
	for i := range n { // recycled memory
		c.fill(got.Index(i))
	}
	if rest, err = reader.from.read(rest, got.UnsafePointer(), n); err != nil || len(rest) > 0 {
		return fmt.Errorf("%d bytes are left: %v", len(rest), err)
	}
	if !reflect.DeepEqual(got.Interface(), want.Interface()) {
		return fmt.Errorf("\n was %+v\n got %+v\nwant %+v", was, got, want)
	}
	return nil
}

func TestRandomChangesThatNoValueCanFollowAreRefused(t *testing.T) {
	refused := 0
	for seed := range uint64(3000) {
		c := &chance{Rand: rand.New(rand.NewPCG(seed, 2)), breaks: true}
		x := c.evolve(1 + c.IntN(4))
		changes, err := Compare(schemaOf(x.old), schemaOf(x.now))
		if err != nil {
			t.Fatal(err)
		}
		if (len(changes) > 0) != (c.broken > 0) {
			t.Errorf("seed %d: %v to %v: %d breaking changes, %+v", seed, x.old, x.now, c.broken, changes)
		}
		if len(changes) > 0 {
			refused++
		}
	}
	if refused < 100 {
		t.Errorf("only %d were refused", refused)
	}
}
