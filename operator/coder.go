package operator

func hasherOf[K comparable]() (func(K) uint64, error) { return nil, nil }
