package actors

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestARegisteredMessageSurvivesTheWay(t *testing.T) {
	Register(&wrapperspb.StringValue{})
	Register(&wrapperspb.StringValue{})
	kind, data, err := Encode(wrapperspb.String("x"))
	if err != nil || kind != "google.protobuf.StringValue" {
		t.Fatal(kind, err)
	}
	if m, err := Decode(kind, data); err != nil || !proto.Equal(m, wrapperspb.String("x")) {
		t.Error(m, err)
	}
}

func TestWhatIsNotRegisteredNeitherLeavesNorEnters(t *testing.T) {
	if _, _, err := Encode("x"); err == nil || !strings.Contains(err.Error(), "not a proto") {
		t.Error(err)
	}
	if _, _, err := Encode(&durationpb.Duration{}); err == nil || !strings.Contains(err.Error(), "actors.Register") {
		t.Error(err)
	}
	if _, err := Decode("google.protobuf.Duration", nil); err == nil {
		t.Error("a kind that was not registered was decoded")
	}
	Register(&wrapperspb.StringValue{})
	if _, err := Decode("google.protobuf.StringValue", []byte{0xff}); err == nil {
		t.Error("malformed bytes were decoded")
	}
}
