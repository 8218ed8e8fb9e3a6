// Group normalisation, scale, shift and SiLU in one pass over bfloat16 NHWC data, and its gradient.
// torch 1.13 needs five passes and three copies for it, half of a training step. Compiled and called by fused.py.
//
//   u = a * xhat + b,  y = u * sigmoid(u)   (or y = u),   xhat = (x - mean) / std over a group's channels and all pixels
//
// x, y, dx, dy: bf16[B, n, C]   a, b, da, db: f32[B, C]   stats: f32[B, G, 2] (mean, 1 / std)

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

typedef uint16_t bf16;

static inline float load(bf16 v) {
  uint32_t bits = (uint32_t)v << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

static inline bf16 store(float f) {  // round to nearest even
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

static inline float sigmoid(float u) { return 1.0f / (1.0f + expf(-u)); }

// Mean and 1 / std of each channel's group, spread over the channels.
static void spread(const float *stats, int C, int G, float *mean, float *inv) {
  for (int c = 0; c < C; c++) {
    mean[c] = stats[2 * (c / (C / G))];
    inv[c] = stats[2 * (c / (C / G)) + 1];
  }
}

extern "C" void forward(const bf16 *x, const float *a, const float *b, bf16 *y, float *stats, int B, int n, int C, int G, int silu) {
  std::vector<float> sum(C), square(C), mean(C), inv(C);
  for (int i = 0; i < B; i++, x += (long)n * C, y += (long)n * C, a += C, b += C, stats += 2 * G) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    std::fill(square.begin(), square.end(), 0.0f);
    for (int p = 0; p < n; p++)
      for (int c = 0; c < C; c++) {
        float v = load(x[(long)p * C + c]);
        sum[c] += v;
        square[c] += v * v;
      }
    for (int g = 0; g < G; g++) {
      double s = 0, q = 0, count = (double)n * (C / G);
      for (int c = g * (C / G); c < (g + 1) * (C / G); c++) s += sum[c], q += square[c];
      double m = s / count, variance = q / count - m * m;
      stats[2 * g] = (float)m;
      stats[2 * g + 1] = (float)(1.0 / std::sqrt((variance > 0 ? variance : 0) + 1e-5));
    }
    spread(stats, C, G, mean.data(), inv.data());
    std::vector<float> k(C), o(C);
    for (int c = 0; c < C; c++) k[c] = a[c] * inv[c], o[c] = b[c] - a[c] * inv[c] * mean[c];
    const float *kp = k.data(), *op = o.data();
    for (int p = 0; p < n; p++)
      for (int c = 0; c < C; c++) {
        float u = load(x[(long)p * C + c]) * kp[c] + op[c];
        y[(long)p * C + c] = store(silu ? u * sigmoid(u) : u);
      }
  }
}

extern "C" void backward(const bf16 *x, const float *a, const float *b, const float *stats, const bf16 *dy, bf16 *dx, float *da, float *db,
                         int B, int n, int C, int G, int silu) {
  std::vector<float> mean(C), inv(C), m1(C), m2(C), du((long)n * C);
  for (int i = 0; i < B; i++, x += (long)n * C, dy += (long)n * C, dx += (long)n * C, a += C, b += C, da += C, db += C, stats += 2 * G) {
    spread(stats, C, G, mean.data(), inv.data());
    const float *mp = mean.data(), *ip = inv.data();
    float *d = du.data();
    for (int c = 0; c < C; c++) da[c] = db[c] = 0;
    for (int p = 0; p < n; p++)
      for (int c = 0; c < C; c++) {
        long at = (long)p * C + c;
        float xhat = (load(x[at]) - mp[c]) * ip[c], grad = load(dy[at]);
        if (silu) {
          float u = a[c] * xhat + b[c], s = sigmoid(u);
          grad *= s * (1 + u * (1 - s));
        }
        d[at] = grad;
        da[c] += grad * xhat;
        db[c] += grad;
      }
    for (int g = 0; g < G; g++) {
      float s1 = 0, s2 = 0, count = (float)n * (C / G);
      for (int c = g * (C / G); c < (g + 1) * (C / G); c++) s1 += a[c] * db[c], s2 += a[c] * da[c];
      for (int c = g * (C / G); c < (g + 1) * (C / G); c++) m1[c] = s1 / count, m2[c] = s2 / count;
    }
    const float *p1 = m1.data(), *p2 = m2.data();
    for (int p = 0; p < n; p++)
      for (int c = 0; c < C; c++) {
        long at = (long)p * C + c;
        float xhat = (load(x[at]) - mp[c]) * ip[c];
        dx[at] = store(ip[c] * (a[c] * d[at] - p1[c] - xhat * p2[c]));
      }
  }
}
