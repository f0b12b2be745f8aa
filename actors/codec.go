package actors

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// kinds are the control messages that may travel between nodes, by full name.
var kinds sync.Map // string → protoreflect.MessageType

// Register allows messages of prototype's type to travel between nodes. Whoever makes a
// System registers what its actors understand; doing so twice changes nothing.
func Register(prototype proto.Message) {
	t := prototype.ProtoReflect().Type()
	kinds.Store(string(t.Descriptor().FullName()), t)
}

// Encode returns a control message as its kind and its bytes, which are the same for equal
// messages. It refuses what was not registered.
func Encode(m any) (kind string, data []byte, err error) {
	p, ok := m.(proto.Message)
	if !ok {
		return "", nil, fmt.Errorf("encode %T for another node: it is not a proto", m)
	}
	kind = string(p.ProtoReflect().Descriptor().FullName())
	if _, ok := kinds.Load(kind); !ok {
		return "", nil, fmt.Errorf("encode %s for another node: pass its type to actors.Register first", kind)
	}
	if data, err = (proto.MarshalOptions{Deterministic: true}).Marshal(p); err != nil {
		return "", nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	return kind, data, nil
}

// Decode returns the message that Encode was given. It refuses a kind that was not
// registered, and bytes that are no such message.
func Decode(kind string, data []byte) (proto.Message, error) {
	t, ok := kinds.Load(kind)
	if !ok {
		return nil, fmt.Errorf("decode %q: no control message of this node", kind)
	}
	m := t.(protoreflect.MessageType).New().Interface()
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return m, nil
}
