package operator

// coder is the stored form of T.
type coder[T any] interface {
	Append(dst []byte, records []T) ([]byte, error)
	Decode(into []T, data []byte) ([]T, error)
	Schema() string
	SchemaHash() uint64
}

func coderOf[T any]() (coder[T], error) { return nil, nil }

func hasherOf[K comparable]() (func(K) uint64, error) { return nil, nil }
