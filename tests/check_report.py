#!/usr/bin/env python3
"""tests/check_report.py REPORT.json…: does each agree with jobs/report.schema.json? The words of JSON Schema that the file uses, no others."""
import json
import sys

TYPES = {'object': dict, 'array': list, 'string': str, 'null': type(None), 'boolean': bool}


def is_type(x, name):
    if name in ('number', 'integer'):
        return not isinstance(x, bool) and isinstance(x, int if name == 'integer' else (int, float))
    return isinstance(x, TYPES[name])


def errors(x, schema, root, where):
    if '$ref' in schema:
        return errors(x, root['$defs'][schema['$ref'].split('/')[-1]], root, where)
    known = {'$schema', '$defs', 'title', 'description', 'type', 'const', 'enum', 'oneOf', 'minimum', 'items', 'properties', 'required',
             'additionalProperties'}
    found = ['%s: the schema has %s' % (where, word) for word in set(schema) - known]
    if 'oneOf' in schema:
        tries = [errors(x, s, root, where) for s in schema['oneOf']]
        return found + ([] if sum(not t for t in tries) == 1 else min(tries, key=len) or ['%s: agrees with several' % where])
    types = schema.get('type', [])
    types = types if isinstance(types, list) else [types]
    if types and not any(is_type(x, t) for t in types):
        return found + ['%s: %s is no %s' % (where, json.dumps(x)[:60], ' or '.join(types))]
    if 'const' in schema and x != schema['const'] or 'enum' in schema and x not in schema['enum']:
        found.append('%s: %s is not allowed' % (where, json.dumps(x)[:60]))
    if 'minimum' in schema and x is not None and x < schema['minimum']:
        found.append('%s: %s is below %s' % (where, x, schema['minimum']))
    if isinstance(x, list) and 'items' in schema:
        for i, item in enumerate(x):
            found += errors(item, schema['items'], root, '%s[%d]' % (where, i))
    if isinstance(x, dict):
        properties, others = schema.get('properties', {}), schema.get('additionalProperties', True)
        found += ['%s: %s is missing' % (where, key) for key in schema.get('required', []) if key not in x]
        for key, value in x.items():
            if key in properties:
                found += errors(value, properties[key], root, where + '.' + key)
            elif others is False:
                found.append('%s: %s is not in the schema' % (where, key))
            elif isinstance(others, dict):
                found += errors(value, others, root, where + '.' + key)
    return found


def main(paths):
    schema, bad = json.load(open('jobs/report.schema.json')), 0
    for path in paths:
        found = errors(json.load(open(path)), schema, schema, path)
        print('\n'.join(found[:20]) if found else path + ': as in the schema')
        bad += bool(found)
    return bad > 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
