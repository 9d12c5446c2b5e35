module millrace/clients

go 1.21

require github.com/twmb/franz-go v1.18.1

require github.com/twmb/franz-go/pkg/kadm v1.15.0
