package files

import (
	"blink/internal/durable"
	"blink/operator"
)

// OS is the machine's file system.
func OS() operator.FS { return durable.OS() }
