// Renders a Helm chart with the template engine and the function library of Helm itself: Go's
// text/template, sprig, sigs.k8s.io/yaml and gojsonschema. Only what Helm adds to them is repeated
// here: include, tpl, required, the functions for YAML and JSON, and the objects of templates.
//
//	renderer CHART <{"release": "grid", "namespace": "grids", "values": {...}}
//
// Prints a JSON object with the text of each file.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

type request struct {
	Release   string `json:"release"`
	Namespace string `json:"namespace"`
	Values    object `json:"values"`
}

func main() {
	files, err := run(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(files); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string) (map[string]string, error) {
	var request request
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return nil, err
	}
	chart := object{}
	if err := readYaml(filepath.Join(folder, "Chart.yaml"), &chart); err != nil {
		return nil, err
	}
	values := object{}
	if err := readYaml(filepath.Join(folder, "values.yaml"), &values); err != nil {
		return nil, err
	}
	values = merge(values, request.Values)
	if err := validate(filepath.Join(folder, "values.schema.json"), values); err != nil {
		return nil, err
	}
	return render(folder, object{
		"Values": values,
		"Chart": object{
			"Name":       chart["name"],
			"Version":    chart["version"],
			"AppVersion": chart["appVersion"],
		},
		"Release": object{
			"Name":      request.Release,
			"Namespace": request.Namespace,
			"Service":   "Helm",
			"IsInstall": true,
			"IsUpgrade": false,
			"Revision":  1,
		},
	})
}

func readYaml(file string, into interface{}) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}

// merge returns the defaults with the given values over them; null removes a default.
func merge(defaults, over object) object {
	merged := object{}
	for name, value := range defaults {
		merged[name] = value
	}
	for name, value := range over {
		below, isObject := merged[name].(object)
		if above, ok := value.(object); ok && isObject {
			merged[name] = merge(below, above)
		} else if value == nil {
			delete(merged, name)
		} else {
			merged[name] = value
		}
	}
	return merged
}

// validate checks values as Helm does before it renders.
func validate(file string, values object) error {
	schema, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	result, err := gojsonschema.Validate(
		gojsonschema.NewBytesLoader(schema),
		gojsonschema.NewGoLoader(values),
	)
	if err != nil {
		return err
	}
	if result.Valid() {
		return nil
	}
	lines := []string{"values don't meet the specifications of the schema:"}
	for _, problem := range result.Errors() {
		lines = append(lines, "- "+problem.String())
	}
	return errors.New(strings.Join(lines, "\n"))
}

func render(folder string, context object) (map[string]string, error) {
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(functions(root))
	paths, err := filepath.Glob(filepath.Join(folder, "templates", "*"))
	if err != nil {
		return nil, err
	}
	base := path.Join(context["Chart"].(object)["Name"].(string), "templates")
	for _, file := range paths {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := path.Join(base, filepath.Base(file))
		if _, err := root.New(name).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	rendered := map[string]string{}
	for _, file := range paths {
		if strings.HasPrefix(filepath.Base(file), "_") {
			continue
		}
		name := path.Join(base, filepath.Base(file))
		context["Template"] = object{"Name": name, "BasePath": base}
		text, err := execute(root, name, context)
		if err != nil {
			return nil, err
		}
		rendered[filepath.Base(file)] = text
	}
	return rendered, nil
}

func execute(root *template.Template, name string, data interface{}) (string, error) {
	var out strings.Builder
	if err := root.ExecuteTemplate(&out, name, data); err != nil {
		return "", err
	}
	return strings.ReplaceAll(out.String(), "<no value>", ""), nil
}

// functions returns sprig's functions without those that Helm removes, and those that Helm adds.
func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["include"] = func(name string, data interface{}) (string, error) {
		return execute(root, name, data)
	}
	all["tpl"] = func(text string, data interface{}) (string, error) {
		clone, err := root.Clone()
		if err != nil {
			return "", err
		}
		parsed, err := clone.New("tpl").Parse(text)
		if err != nil {
			return "", err
		}
		return execute(parsed, "tpl", data)
	}
	all["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	all["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	all["fromYaml"] = func(text string) (object, error) {
		value := object{}
		err := yaml.Unmarshal([]byte(text), &value)
		return value, err
	}
	all["fromYamlArray"] = func(text string) ([]interface{}, error) {
		value := []interface{}{}
		err := yaml.Unmarshal([]byte(text), &value)
		return value, err
	}
	all["toJson"] = func(value interface{}) (string, error) {
		text, err := json.Marshal(value)
		return string(text), err
	}
	return all
}
