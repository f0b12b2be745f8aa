package usage

import (
	"runtime"
	"runtime/metrics"
)

// Settings are what else decides about a figure. Lines with others cannot be compared.
type Settings struct {
	Processors int `json:"processors"` // of Go
	GOGC       int `json:"gogc"`       // in percent; -1: off
}

// SettingsOf are those of this process at the moment.
func SettingsOf() Settings {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return Settings{runtime.GOMAXPROCS(0), int(int32(s[0].Value.Uint64()))}
}
